// ledger_server.mjs as a server of a gate, and what stands in its file.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

const dirs = []
process.on('exit', () => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })))

export function ledger() {
  const dir = mkdtempSync(join(tmpdir(), 'doorward-ledger-'))
  dirs.push(dir)
  const file = join(dir, 'lines')
  return {
    file,
    server: { command: [process.execPath, join(here, 'ledger_server.mjs'), file], write: [dir] },
    lines: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []),
  }
}
