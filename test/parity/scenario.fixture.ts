import { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { type IncomingMessage, type ServerResponse } from 'node:http';

/** The input of a scenario: the instance under test, and the origins to call. */
export interface Call {
  readonly http: AxiosInstance;
  /** A listed destination. */
  readonly origin: string;
  /** Another server that answers the same. */
  readonly elsewhere: string;
  /** A listed destination whose token file is missing. */
  readonly tokenless: string;
  /** Puts another token into the file of the listed destination. */
  readonly rotate: () => Promise<void>;
  /** `{ adapter }` and more. */
  readonly config: (more?: AxiosRequestConfig) => AxiosRequestConfig;
}

export type Adapter = 'http' | 'fetch';
export type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** One way to use an HTTP client, played on a plain instance and on one that sends tokens. */
export interface Scenario {
  readonly name: string;
  /** @default both */
  readonly adapters?: readonly Adapter[];
  readonly answer?: Answer;
  /** @returns the observations, which are compared unchanged */
  readonly run: (call: Call) => Promise<unknown>;
  /** Whether the request arrives depends on the machine's speed. */
  readonly ignoresArrivals?: boolean;
  /** The allowed differences: the path of each, and its name in docs/calling.md. Nothing else may differ. */
  readonly differs?: Readonly<Record<string, readonly string[]>>;
}

/** The paths of the properties in which two values differ. */
export function pathsThatDiffer(plain: unknown, ours: unknown, path = ''): string[] {
  if (Object.is(plain, ours)) return [];
  const areLists = Array.isArray(plain) && Array.isArray(ours) && plain.length === ours.length;
  if (!areLists && !(isRecord(plain) && isRecord(ours))) return [path];
  const [one, other] = [plain as Record<string, unknown>, ours as Record<string, unknown>];
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].flatMap((name) =>
    pathsThatDiffer(one[name], other[name], path ? `${path}.${name}` : name),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
