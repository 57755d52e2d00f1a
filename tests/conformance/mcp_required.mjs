// What the suite requires of a revision, and what it runs beside that and never scores, as `list --requirements` prints it:
//   Server scenarios (test against a server):
//     - ping
//   Run and reported, but never scored:
//     extension (16):
//       - tasks-lifecycle [server]
// `extensions`: server scenarios of extensions that are on no revision's list; they come with the newest one.
export async function requirements(run, revision) {
  const { code, out } = await run(['list', '--requirements', revision])
  if (code !== 0) throw new Error(`the suite names no requirements for ${revision}\n${out}`)
  const found = { server: new Set(), client: new Set(), notScored: [] }
  let part, reason
  for (const line of out.split('\n')) {
    const [, role] = /^(Server|Client) scenarios/.exec(line) ?? []
    const [, scored] = /^ {2}- (\S+)$/.exec(line) ?? []
    const [, why] = /^ {2}(\S+) \(\d+\):$/.exec(line) ?? []
    const [, name, leg] = /^ {4}- (\S+) \[(\S+)\]$/.exec(line) ?? []
    if (role) part = role.toLowerCase()
    else if (scored) found[part].add(scored)
    else if (why) reason = why
    else if (name) found.notScored.push({ name, leg, reason })
  }
  const listed = new Set(found.notScored.map((s) => s.name))
  const newest = found.notScored.some((s) => s.reason === 'extension' && s.leg === 'server')
  found.extensions = newest ? (await scenarios(run, 'server', 'extension')).filter((n) => !listed.has(n)) : []
  found.reasonOf = (name) => found.notScored.find((s) => s.name === name)?.reason ?? 'extension'
  return found
}

// "  - ping [2025-06-18,2025-11-25]", "  - tasks-lifecycle [extension]"
export async function scenarios(run, leg, mark) {
  const { code, out } = await run(['list', `--${leg}`])
  if (code !== 0) throw new Error(`the suite cannot be run\n${out}`)
  return [...out.matchAll(/^ {2}- (\S+) \[([^\]]*)\]/gm)].filter((m) => m[2].split(',').includes(mark)).map((m) => m[1])
}

export const passes = (checks) =>
  checks.some((c) => c.status === 'SUCCESS') && !checks.some((c) => c.status === 'FAILURE' || c.status === 'WARNING')
