import { close, constants as fsConstants, fstatSync, open, openSync, type Stats, stat } from 'node:fs';

/** Owner writes, group reads: requests are nobody else's business. */
const FILE_MODE = 0o640;

/** Appending, so that whoever truncates the file gets no hole; and a FIFO that nobody reads must not hold us up. */
const FILE_FLAGS = fsConstants.O_WRONLY | fsConstants.O_APPEND | fsConstants.O_CREAT | fsConstants.O_NONBLOCK;

const PIPE_FLAGS = fsConstants.O_WRONLY | fsConstants.O_APPEND | fsConstants.O_NONBLOCK;

const STDOUT_FD = 1;

/** An open place to write lines to. */
export interface OpenOutput {
  readonly fd: number;
  /** Which file it is, whatever its name is by now. */
  readonly identity: string;
  /** It was opened for us, and is ours to close. */
  readonly owned: boolean;
}

/** Opens the access log at once. Throws an Error of one line when that cannot be done. `file` null: standard output. */
export function openOutputNow(file: string | null): OpenOutput {
  if (file === null) return openStandardOutput();
  try {
    return outputOf(openSync(file, FILE_FLAGS, FILE_MODE));
  } catch (error) {
    throw new Error(`Cannot write access_log.output ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Opens a file again, without waiting for the disk; without output, `failure` says why. */
export function openOutput(file: string, done: (failure: string, output: OpenOutput | null) => void): void {
  open(file, FILE_FLAGS, FILE_MODE, (error, fd) => {
    if (error === null) done('', outputOf(fd));
    else done(error.message, null);
  });
}

export function closeOutput({ fd, owned }: OpenOutput): void {
  // What was written is in the hands of the system; there is nothing to be done about an error.
  if (owned) close(fd, () => {});
}

/** Tells whether the file's name still leads to where we write. A device or pipe has nothing to rotate. */
export function hasMoved(file: string, { identity }: OpenOutput, done: (moved: boolean) => void): void {
  stat(file, (error, stats) => done(error === null ? identityOf(stats) !== identity : error.code === 'ENOENT'));
}

/**
 * Writing to a pipe that nobody reads must fail (EAGAIN), not wait: a thread that waits there keeps the process from exiting.
 * That is a property of the open file, which others may hold too, so a pipe or terminal is opened anew through its name in
 * /proc. A socket, which is what service managers give us, has no such name: Node makes it non-blocking when it makes its stream.
 * A regular file never makes us wait, and its position is shared with standard error where both are redirected to it.
 */
function openStandardOutput(): OpenOutput {
  const stats = fstatSync(STDOUT_FD);
  const standard = { fd: STDOUT_FD, identity: identityOf(stats), owned: false };
  if (stats.isFile()) return standard;
  try {
    if (!stats.isSocket()) return outputOf(openSync(`/proc/self/fd/${STDOUT_FD}`, PIPE_FLAGS));
  } catch {
    // No /proc, not allowed, or a pipe without a reader: then the stream's way will do.
  }
  void process.stdout;
  return standard;
}

function outputOf(fd: number): OpenOutput {
  return { fd, identity: identityOf(fstatSync(fd)), owned: true };
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev} ${ino}`;
}
