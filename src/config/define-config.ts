import type { ConfigInput } from './schema/document.ts';

type BackendInput = ConfigInput['load_balancing']['backends'][string];

type RouteInput<Backend extends string> = Omit<ConfigInput['routes'][number], 'backend'> & {
  /** The backend that answers; by default the only one there is. */
  backend?: NoInfer<Backend> | undefined;
};

/** A configuration as one writes it, whose routes name only backends that are there. */
export type DefinedConfig<Backend extends string> = Omit<ConfigInput, 'load_balancing' | 'routes'> & {
  load_balancing: Omit<ConfigInput['load_balancing'], 'backends'> & { backends: Record<Backend, BackendInput> };
  routes: readonly RouteInput<Backend>[];
};

/**
 * The configuration of a `photon.config.ts`: hands back what it gets, and lets the compiler check and complete it.
 *
 *     export default defineConfig({
 *       server: { http_addr: ':8080' },
 *       load_balancing: { backends: { web: { upstreams: [{ address: '127.0.0.1:3000' }] } } },
 *       routes: [{ path: '/**', backend: 'web' }],
 *     });
 */
export function defineConfig<const Backend extends string>(config: DefinedConfig<Backend>): DefinedConfig<Backend> {
  return config;
}
