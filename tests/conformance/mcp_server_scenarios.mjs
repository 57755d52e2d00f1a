// The server scenarios of the official suite against one URL, in one run of the suite.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

// What each scenario has left in `dir`: server-NAME-2026-07-28T...
function read(dir, into) {
  for (const entry of existsSync(dir) ? readdirSync(dir) : []) {
    const [, name] = /^server-(.*)-\d{4}-\d\d-\d\dT/.exec(entry) ?? []
    const file = join(dir, entry, 'checks.json')
    if (name && existsSync(file)) into.set(name, JSON.parse(readFileSync(file, 'utf8')))
  }
}

// Everything that the revision requires, what the suite runs beside that, and the extensions that it runs only when told to.
export async function runServerScenarios(run, revision, url, required, dir) {
  const { out } = await run(['server', '--url', url, '--requirements', revision, '-o', dir])
  for (const name of required.extensions)
    await run(['server', '--url', url, '--scenario', name, '--spec-version', revision, '--force', '-o', dir])
  const found = new Map()
  read(dir, found)
  const names = [...required.server, ...required.notScored.filter((s) => s.leg === 'server').map((s) => s.name), ...required.extensions]
  return { names, out, checks: (name) => found.get(name) ?? [] }
}
