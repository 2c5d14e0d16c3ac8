import { ConfigError } from '../config/diagnostic.ts';
import { loadConfigFile } from '../config/load.ts';
import { askControlSocket, UnreachableError } from '../control/admin/control-socket.ts';
import { controlSocketPath } from '../control/runtime-directory.ts';

/**
 * Asks the gateway that serves this file. Rejects with an Error of one line when there is none, or it cannot do what is asked.
 *
 * The file may say by now that the socket is elsewhere than where it was opened, or be so wrong that it does not say: the gateway also
 * answers under the name that the file has in the runtime directory.
 */
export async function askRunningGateway(configFile: string, request: unknown): Promise<unknown> {
  const ofFile = controlSocketPath(configFile);
  const { wanted, fault } = await wantedSocket(configFile);
  if (wanted === null) {
    return askControlSocket(ofFile, request).catch((error: Error) => {
      if (fault === null || !(error instanceof UnreachableError)) throw error;
      throw new Error(`${error.message}; if server.upgrade_sock is set, it cannot be read: ${fault}`, { cause: error });
    });
  }
  try {
    return await askControlSocket(wanted, request);
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return await askControlSocket(ofFile, request).catch(() => {
      throw error;
    });
  }
}

/**
 * `server.upgrade_sock`, null where it is not set; `fault`: why it cannot be read, as one line. The modules that the file names are not
 * loaded: they may take long, and the gateway loads them itself.
 */
async function wantedSocket(
  configFile: string,
): Promise<{ readonly wanted: string | null; readonly fault: string | null }> {
  try {
    const { config } = await loadConfigFile(configFile);
    return { wanted: config.server.upgradeSock, fault: null };
  } catch (error) {
    const message = error instanceof ConfigError ? error.diagnostics[0]?.message : (error as Error).message;
    return { wanted: null, fault: message?.split('\n')[0] ?? '' };
  }
}
