/** How a field is to be read; a nested schema stands for a message. */
export type FieldType = 'string' | 'strings' | 'integer' | 'bytes' | MessageSchema;

/** Field number to name and type; fields that are not listed are skipped. */
export interface MessageSchema {
  readonly [fieldNumber: number]: readonly [name: string, type: FieldType];
}

type Value = string | string[] | number | Buffer | { [name: string]: Value };

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Reads the listed fields of a protobuf message. @throws {RangeError} it ends too early or is not such a message */
export function decodeMessage(bytes: Buffer, schema: MessageSchema): Record<string, Value> {
  const message: Record<string, Value> = {};
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const value = reader.value(tag & 7);
    const field = schema[tag >>> 3];
    if (!field) continue;
    const [name, type] = field;
    message[name] = convert(value, type, message[name]);
  }
  return message;
}

function convert(value: number | Buffer, type: FieldType, previous: Value | undefined): Value {
  if (type === 'integer' && typeof value === 'number') return value;
  if (!Buffer.isBuffer(value)) throw new RangeError('protobuf field has another type');
  if (type === 'bytes') return value;
  if (type === 'string') return value.toString('utf8');
  if (type === 'strings') return [...(Array.isArray(previous) ? previous : []), value.toString('utf8')];
  if (typeof type === 'object') return decodeMessage(value, type);
  throw new RangeError('protobuf field has another type');
}

class Reader {
  private offset = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.offset >= this.bytes.length;
  }

  /** Exact up to 2^53; lifetimes and lengths are much smaller. */
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.offset++];
      if (byte === undefined) throw new RangeError('protobuf message ends too early');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  value(wireType: number): number | Buffer {
    switch (wireType) {
      case VARINT:
        return this.varint();
      case FIXED64:
        return this.take(8);
      case FIXED32:
        return this.take(4);
      case LENGTH_DELIMITED:
        return this.take(this.varint());
      default:
        throw new RangeError(`protobuf wire type ${wireType} is unknown`);
    }
  }

  private take(length: number): Buffer {
    const end = this.offset + length;
    if (end > this.bytes.length) throw new RangeError('protobuf message ends too early');
    const taken = this.bytes.subarray(this.offset, end);
    this.offset = end;
    return taken;
  }
}
