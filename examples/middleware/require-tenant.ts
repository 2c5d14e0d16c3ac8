/**
 * Every request has to say which tenant it is for. The name goes upstream under a header that clients cannot set, and comes back with the
 * reply.
 */
import { defineMiddleware, type OptionsSchema } from 'photon-gateway';

interface Options {
  /** The header in which clients name their tenant. */
  readonly header: string;
  readonly tenants: readonly string[];
}

/** Any schema with the common interface will do (zod, valibot, arktype); this one is written by hand, to need nothing. */
const schema: OptionsSchema<unknown, Options> = {
  '~standard': {
    version: 1,
    vendor: 'example',
    validate(value) {
      const { header = 'X-Tenant', tenants } = value as Partial<Options>;
      const isList = Array.isArray(tenants) && tenants.every((tenant) => typeof tenant === 'string');
      if (!isList) return { issues: [{ message: 'want a list of names', path: ['tenants'] }] };
      return { value: { header, tenants } };
    },
  },
};

export default defineMiddleware({
  name: 'require-tenant',
  schema,
  create({ header, tenants }, { log }) {
    return {
      onRequest(request) {
        const tenant = request.headers.get(header);
        if (tenant === null || !tenants.includes(tenant)) {
          log.warn('unknown-tenant', { client: request.clientAddress });
          return { status: 403, headers: { 'Content-Type': 'text/plain' }, body: 'Which tenant are you?\n' };
        }
        request.state.set('tenant', tenant);
        request.headers.delete(header);
        request.headers.set('X-Internal-Tenant', tenant);
        return undefined;
      },
      onResponse(response, request) {
        const tenant = request.state.get('tenant');
        if (typeof tenant === 'string') response.headers.set('X-Tenant', tenant);
      },
    };
  },
});
