import { Logger, type LoggerService } from '@nestjs/common';

/**
 * Nest's Logger in front of any logger that the application uses, for callers that must not fail because of it: an
 * error that it throws is dropped, and so is the rejection of an asynchronous one.
 */
class ReliableLogger extends Logger {
  override get localInstance(): LoggerService {
    const logger = super.localInstance;
    const reliably =
      (level: 'log' | 'warn' | 'error') =>
      (...args: [unknown, ...unknown[]]): void => {
        try {
          const result: unknown = logger[level](...args);
          void Promise.resolve(result).catch(() => {});
        } catch {
          // There is nobody left to tell.
        }
      };
    return { log: reliably('log'), warn: reliably('warn'), error: reliably('error') };
  }
}

/** What every part of the library logs through. @internal */
export const k8sAuthLog = new ReliableLogger('K8sAuth');
