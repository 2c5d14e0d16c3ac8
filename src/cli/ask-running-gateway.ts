import { loadConfigFile } from '../config/load.ts';
import { askControlSocket } from '../control/admin/control-socket.ts';
import { controlSocketPath } from '../control/runtime-directory.ts';

/** Asks the gateway that serves this file. Rejects with an Error of one line when there is none, or it cannot do what is asked. */
export async function askRunningGateway(configFile: string, request: unknown): Promise<unknown> {
  return askControlSocket(await socketOf(configFile), request);
}

/**
 * Where the file says; one that cannot be read any more does not say that it was somewhere else. The modules that it names are not
 * loaded: they may take long, and the gateway loads them itself.
 */
async function socketOf(configFile: string): Promise<string> {
  try {
    const { config } = await loadConfigFile(configFile);
    return config.server.upgradeSock ?? controlSocketPath(configFile);
  } catch {
    return controlSocketPath(configFile);
  }
}
