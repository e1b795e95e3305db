import { randomUUID } from 'node:crypto';
import { type Clock } from '../../src/util/clock.js';
import { alreadyExists, notFound } from './api-error.js';
import { type JsonObject } from './jws.js';

/** A Kubernetes object as the API shows it. */
export interface ClusterObject {
  readonly kind: string;
  readonly apiVersion: 'v1';
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
  };
  readonly spec?: JsonObject;
}

interface NewObject {
  readonly name: string;
  readonly namespace?: string;
  readonly spec?: JsonObject;
}

/**
 * The objects of one resource, keyed by namespace and name. An object that is created again with the same name gets
 * another UID.
 */
export class ObjectStore {
  private readonly objects = new Map<string, ClusterObject>();
  private version = 0;

  constructor(
    readonly kind: string,
    readonly resource: string,
    private readonly clock: Clock,
  ) {}

  find(name: string, namespace?: string): ClusterObject | undefined {
    return this.objects.get(keyOf(name, namespace));
  }

  /** @throws {ApiError} 404 */
  get(name: string, namespace?: string): ClusterObject {
    const object = this.find(name, namespace);
    if (!object) throw notFound(this.resource, name);
    return object;
  }

  list(namespace?: string): readonly ClusterObject[] {
    return [...this.objects.values()].filter(
      ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
    );
  }

  /** @throws {ApiError} 409 */
  create({ name, namespace, spec }: NewObject): ClusterObject {
    if (this.find(name, namespace)) throw alreadyExists(this.resource, name);
    const object: ClusterObject = {
      kind: this.kind,
      apiVersion: 'v1',
      metadata: {
        name,
        ...(namespace !== undefined && { namespace }),
        uid: randomUUID(),
        resourceVersion: String(++this.version),
        creationTimestamp: rfc3339(this.clock.wallMs()),
      },
      ...(spec && { spec }),
    };
    this.objects.set(keyOf(name, namespace), object);
    return object;
  }

  /** @throws {ApiError} 404 */
  delete(name: string, namespace?: string): ClusterObject {
    const object = this.get(name, namespace);
    this.objects.delete(keyOf(name, namespace));
    return object;
  }

  deleteAll(namespace: string): void {
    for (const { metadata } of this.list(namespace)) this.delete(metadata.name, namespace);
  }
}

function keyOf(name: string, namespace = ''): string {
  return `${namespace}/${name}`;
}

/** Whole seconds, as metav1.Time writes them. */
export function rfc3339(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
