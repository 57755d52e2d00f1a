// Random schemas of Cedar about nothing but names: types of the same name in several namespaces, names of Cedar's own, references
// with and without a namespace, and a policy that tells what a name came to stand for.
import { o } from './cedar_tree.mjs'

const own = ['Long', 'String', 'Bool', 'ipaddr', 'decimal', 'Set', 'Record', 'Entity', 'Extension', 'Action', 'Boolean', 'type', 'entity', 'in',
  '__cedar']
const pools = { '': ['A', 'B', 'C'], N: ['C', 'D', 'E'], 'N::M': ['E', 'F', 'A'], M: ['F', 'G', 'D'] }
const tests = ['principal.x == 1', 'principal.x like "a"', 'principal.x', 'principal.x.isIpv4()', 'principal.x.lessThan(decimal("1.0"))',
  'principal.x == A::"a"', 'principal.x == N::C::"a"', 'principal.x == M::F::"a"', 'principal.x has y', 'principal.x.contains(1)']

export function namesCase(r) {
  const spaces = Object.keys(pools).filter(() => r.chance(0.5))
  const declared = (spaces.length ? spaces : ['']).flatMap((space) =>
    pools[space].filter(() => r.chance(0.7)).map((n) => ({
      space, name: r.chance(0.06) ? r.pick(own) : n, kind: r.pick(['type', 'type', 'entity', 'entity', 'entity', 'enum']),
    })))
  const full = ({ space, name }) => (space ? `${space}::${name}` : name)
  // A reference from within a namespace: the short form where it should do, now and then where it should not.
  const reference = (space, kinds) => {
    const to = r.pick(declared.filter((d) => kinds.includes(d.kind)))
    if (r.chance(0.08) || !to) return r.pick(['A', 'N::A', '__cedar::Long', '__cedar::A', 'N::Long', 'M::String', ...own])
    return to.space === space || r.chance(0.05) ? r.pick([to.name, full(to)]) : full(to)
  }
  const entity = (space) => reference(space, ['entity', 'enum'])
  const type = (space) => {
    const plain = ['Long', 'String', 'Bool', 'ipaddr', 'decimal', '__cedar::Long', '__cedar::String']
    const one = () => (r.chance(0.4) ? r.pick(plain) : reference(space, ['type', 'entity', 'enum']))
    return r.pick([one, one, one, () => `Set<${one()}>`, () => `{y: ${one()}}`])()
  }
  const lines = {
    type: ({ space, name }) => `type ${name} = ${type(space)};`,
    entity: ({ space, name }) => `entity ${name}${r.chance(0.3) ? ` in [${entity(space)}]` : ''} {x: ${type(space)}};`,
    enum: ({ name }) => `entity ${name} enum ["a"];`,
  }
  const action = (space) => {
    if (r.chance(0.6)) return ''
    const group = r.chance(0.3) ? ` in [${r.pick(['Action::"probe"', 'N::Action::"v"', 'v'])}]` : ''
    const context = r.chance(0.6) ? '{}' : type(space)
    return `action v${group} appliesTo {principal: [${entity(space)}], resource: ${entity(space)}, context: ${context}};\n`
  }
  const texts = [...new Set(declared.map((d) => d.space))].map((space) => {
    const body = declared.filter((d) => d.space === space).map((d) => lines[d.kind](d)).join('\n')
    return space ? `namespace ${space} {\n${body}\n${action(space)}}` : `${body}\n${action(space)}`
  })
  const asked = declared.filter((d) => d.kind === 'entity').map(full)
  if (asked.length) texts.push(`action probe appliesTo {principal: [${asked.join(', ')}], resource: [${asked.join(', ')}]};`)
  const principal = asked.length ? `principal is ${r.pick(asked)}` : 'principal'
  const conditions = [{ kind: 'when', expr: o([r.pick(tests)]) }]
  const policy = { annotations: [], effect: 'permit', principal, action: 'action', resource: 'resource', conditions }
  return { kind: 'names', policies: [policy], templates: [], links: [], schema: texts.join('\n'), entities: [], requests: [] }
}
