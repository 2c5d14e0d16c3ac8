import type { UserFile } from '../../config/config.ts';
import type { MiddlewareContext } from '../middleware-context.ts';
import { type BasicOptions, BasicScheme } from './basic/basic-scheme.ts';
import { UserTable } from './basic/user-table.ts';
import type { AuthScheme } from './scheme.ts';
import { sharedScheme } from './shared-schemes.ts';

/** Thousands of routes may share one file of users: it is made into a table once. */
export function basic(options: BasicOptions, { passwords, userFiles }: MiddlewareContext): AuthScheme {
  const file = userFiles.find(({ path }) => path === options.htpasswd);
  const key = `basic ${JSON.stringify(options)} ${file?.digest}`;
  return sharedScheme(passwords, key, () => new BasicScheme(options, usersOf(options, file), passwords));
}

function usersOf({ users = {} }: BasicOptions, file: UserFile | undefined): UserTable {
  return new UserTable([...Object.entries(users), ...(file?.users ?? [])]);
}
