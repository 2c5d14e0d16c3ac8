/**
 * True for what threads and processes of Photon send to each other. Libraries that users' middleware loads may send whatever they like to
 * the parent of their thread or process.
 */
export function isMessage(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value;
}
