import { type ServerResponse } from 'node:http';
import { type Clock } from '../../../src/util/clock.js';
import { toPublicJson } from './redaction.js';

/** Proxies and browsers close a connection on which nothing is sent. */
const HEARTBEAT_MS = 15_000;
/** A browser allows six connections to one server. Each open page has one. */
const MAX_CLIENTS = 20;

/** Server-sent events (HTML Living Standard §9.2) for every page that is open. */
export class EventStream {
  private readonly clients = new Set<ServerResponse>();
  private cancelHeartbeat: () => void = () => undefined;

  constructor(private readonly clock: Clock) {}

  /** Answers with the events from now on, the given one first. @returns `false` if too many pages are open */
  open(response: ServerResponse, event: string, data: unknown): boolean {
    if (this.clients.size >= MAX_CLIENTS) return false;
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(`retry: 1000\n${format(event, data)}`);
    this.clients.add(response);
    response.once('close', () => this.clients.delete(response));
    if (this.clients.size === 1) this.scheduleHeartbeat();
    return true;
  }

  send(event: string, data: unknown): void {
    if (this.clients.size === 0) return;
    const text = format(event, data);
    for (const client of this.clients) client.write(text);
  }

  close(): void {
    this.cancelHeartbeat();
    for (const client of this.clients) client.end();
  }

  private scheduleHeartbeat(): void {
    this.cancelHeartbeat();
    this.cancelHeartbeat = this.clock.schedule(HEARTBEAT_MS, () => {
      if (this.clients.size === 0) return;
      for (const client of this.clients) client.write(': still here\n\n');
      this.scheduleHeartbeat();
    });
  }
}

function format(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${toPublicJson(data)}\n\n`;
}
