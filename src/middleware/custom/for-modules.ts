/** What `import ... from 'photon-gateway'` gives to a middleware: little, so that a worker does not load the whole package for it. */
export { defineMiddleware } from './define-middleware.ts';
