// Requests of OTLP/HTTP in JSON, read by the code that the OpenTelemetry project generated from its own .proto files. What
// that does not know, it drops, and what is of another type it changes: so a request that comes back as it was is one.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const root = createRequire(import.meta.url)('@opentelemetry/otlp-transformer/build/src/generated/root.js')
const { logs, trace } = root.opentelemetry.proto.collector
const IDS = ['traceId', 'spanId', 'parentSpanId']
const AS_JSON = { longs: String, bytes: (b) => b }

// In protobuf an empty list is none.
const full = (value) =>
  Array.isArray(value) ? value.map(full)
  : value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).filter(([, v]) => !Array.isArray(v) || v.length).map(([k, v]) => [k, full(v)]))
  : value

// Ids are hex in OTLP's JSON, and not base64 as in that of protobuf.
const withIds = (value, change) =>
  Array.isArray(value) ? value.map((v) => withIds(v, change))
  : value && typeof value === 'object' && !(value instanceof Uint8Array)
    ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, IDS.includes(k) ? change(v) : withIds(v, change)]))
    : value

function decoded(Type, json) {
  const hex = (s) => {
    assert.match(s, /^([0-9a-f]{16}|[0-9a-f]{32})$/)
    return Uint8Array.from(Buffer.from(s, 'hex'))
  }
  const message = Type.fromObject(withIds(json, hex))
  const again = Type.toObject(Type.decode(Type.encode(message).finish()), AS_JSON)
  assert.deepEqual(withIds(again, (b) => Buffer.from(b).toString('hex')), full(json))
  return json
}

export const decodeLogs = (json) => decoded(logs.v1.ExportLogsServiceRequest, json)
export const decodeSpans = (json) => decoded(trace.v1.ExportTraceServiceRequest, json)

// An AnyValue as JavaScript has it.
export function plain(v) {
  if (v.kvlistValue) return Object.fromEntries(v.kvlistValue.values.map((p) => [p.key, plain(p.value)]))
  if (v.arrayValue) return v.arrayValue.values.map(plain)
  if ('intValue' in v) return Number(v.intValue)
  return v.stringValue ?? v.boolValue ?? v.doubleValue ?? null
}
export const attributes = (list) => {
  assert.equal(new Set(list.map((a) => a.key)).size, list.length, 'an attribute stands there twice')
  return Object.fromEntries(list.map((a) => [a.key, plain(a.value)]))
}
