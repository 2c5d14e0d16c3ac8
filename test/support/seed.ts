/** What everything random in a test starts from: `PHOTON_FUZZ_SEED`, or a new one for each process. */
export const SEED = Number(process.env['PHOTON_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
