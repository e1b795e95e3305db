import { type AxiosInstance, type AxiosStatic } from 'axios';
import { createRequire } from 'node:module';

/** @returns the default export of the copy of axios that created an instance, if the process has probably loaded it. @internal */
export async function defaultExportOf({ interceptors }: AxiosInstance): Promise<AxiosStatic | undefined> {
  // The class of the interceptors is not the same in two copies.
  const isFrom = (axios: AxiosStatic | undefined) =>
    axios?.interceptors.request.constructor === interceptors.request.constructor ? axios : undefined;
  try {
    return isFrom(requiredAxios()) ?? isFrom((await import('axios')).default);
  } catch {
    // axios is installed where this library does not find it.
    return undefined;
  }
}

function requiredAxios(): AxiosStatic | undefined {
  try {
    const require = createRequire(import.meta.url);
    return require.cache[require.resolve('axios')]?.exports as AxiosStatic | undefined;
  } catch {
    // In a bundle of an application, the file of this module is unknown, or is not beside the packages.
    return undefined;
  }
}
