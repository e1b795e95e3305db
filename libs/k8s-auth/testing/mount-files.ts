import { AtomicDirectory, type MountedFiles } from './atomic-directory.js';
import { ReplacedFiles } from './replaced-files.js';

/**
 * Files with the layout of the kubelet. On Windows they are plain files: a link to a file needs a privilege there, and no
 * rename can replace the link `..data` of a directory.
 */
export function mountFiles(directory: string, platform: NodeJS.Platform = process.platform): MountedFiles {
  return platform === 'win32' ? new ReplacedFiles(directory) : new AtomicDirectory(directory);
}
