// Events against the published OCSF schema (ocsf-1.8.0.json, which says where it comes from): every attribute is one of
// the class or object, has its type, is of its enum and beside an enum says its caption; what is required is there.
import { readFileSync } from 'node:fs'

const schema = JSON.parse(readFileSync(new URL('ocsf-1.8.0.json', import.meta.url)))
const TYPES = {
  string: (v) => typeof v === 'string', integer: Number.isSafeInteger, number: Number.isFinite,
  boolean: (v) => typeof v === 'boolean', any: () => true,
}

function checkAttribute(value, a, where, faults) {
  if (a.object === 'object') {
    if (typeof value !== 'object' || Array.isArray(value)) faults.push(`${where}: must be an object`)
  } else if (a.object) {
    if (schema.objects[a.object]) checkObject(value, schema.objects[a.object], where, faults)
    else faults.push(`${where}: object ${a.object} is not in the table`)
  } else {
    if (!TYPES[a.type](value)) faults.push(`${where}: must be of type ${a.type}, but is ${JSON.stringify(value)}`)
    if (a.ip && !/^[0-9a-fA-F.:]{2,40}$/.test(value)) faults.push(`${where}: is no address`)
    if (a.enum && !(value in a.enum)) faults.push(`${where}: ${value} is none of its enum`)
  }
}

function checkObject(o, is, where, faults) {
  if (typeof o !== 'object' || o === null || Array.isArray(o)) return faults.push(`${where}: must be an object`)
  for (const [name, value] of Object.entries(o)) {
    const a = is.attributes[name], at = `${where}.${name}`
    if (!a) faults.push(`${at}: there is no such attribute`)
    else if (a.deprecated) faults.push(`${at}: is deprecated`)
    else if (a.array && !Array.isArray(value)) faults.push(`${at}: must be an array`)
    else for (const [i, v] of (a.array ? value : [value]).entries()) checkAttribute(v, a, a.array ? `${at}[${i}]` : at, faults)
    if (a?.enum && a.sibling && String(value) !== '99' && o[a.sibling] !== a.enum[value])
      faults.push(`${where}.${a.sibling}: must be ${a.enum[value]} beside ${name} ${value}, but is ${o[a.sibling]}`)
  }
  for (const [name, a] of Object.entries(is.attributes)) if (a.required && !(name in o)) faults.push(`${where}.${name}: is required`)
  const some = is.constraints?.at_least_one
  if (some && !some.some((name) => name in o)) faults.push(`${where}: needs one of ${some.join(', ')}`)
}

// What is wrong with it; an empty list: nothing.
export function ocsfFaults(event) {
  const faults = []
  checkObject(event, schema.class, 'event', faults)
  if (event.type_uid !== event.class_uid * 100 + event.activity_id) faults.push('event.type_uid: must be class_uid * 100 + activity_id')
  if (event.metadata?.version !== schema.version) faults.push('event.metadata.version: is another one')
  for (const p of event.metadata?.profiles ?? []) if (!schema.profiles.includes(p)) faults.push(`event.metadata.profiles: ${p}`)
  return faults
}
