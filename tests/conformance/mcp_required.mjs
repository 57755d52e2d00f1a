// What the suite requires of a revision, and what it runs beside that and never scores, as `list --requirements` prints it:
//   Server scenarios (test against a server):
//     - ping
//   Run and reported, but never scored:
//     extension (16):
//       - tasks-lifecycle [server]
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
  return found
}

export const passes = (checks) =>
  checks.some((c) => c.status === 'SUCCESS') && !checks.some((c) => c.status === 'FAILURE' || c.status === 'WARNING')
