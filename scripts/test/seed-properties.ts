/** Loaded before a test file that uses fast-check: what it draws starts from the seed of the run, `PHOTON_FUZZ_SEED`. */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['PHOTON_FUZZ_SEED']) });
