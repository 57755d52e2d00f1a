// A verifier that is not ours: tests/go, a small program around golang.org/x/mod/sumdb/{note,tlog} of Debian.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { BUILD, TOP } from './gate.mjs'

const GO = '/usr/bin/go', PACKAGES = '/usr/share/gocode'
const program = join(BUILD, 'outside/verify')

export const noOutside = !existsSync(join(PACKAGES, 'src/golang.org/x/mod/sumdb/tlog')) && 'golang-go and golang-golang-x-mod-dev are not installed'

// Once for a file of tests: go builds only what changed.
export function buildOutside() {
  if (noOutside) return
  const sources = readdirSync(join(TOP, 'tests/go')).filter((name) => name.endsWith('.go')).map((name) => join(TOP, 'tests/go', name))
  mkdirSync(join(BUILD, 'outside'), { recursive: true })
  const env = { PATH: '/usr/bin:/bin', HOME: join(BUILD, 'outside'), GOPATH: PACKAGES, GOCACHE: join(BUILD, 'outside/cache'),
                GO111MODULE: 'off', GOFLAGS: '', GOPROXY: 'off', CGO_ENABLED: '0' }
  const r = spawnSync(GO, ['build', '-o', program, ...sources], { env, encoding: 'utf8' })
  if (r.status !== 0) throw new Error(`go build: ${r.stderr}`)
}

const run = (file, args, input) => {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', input, maxBuffer: 1 << 28 })
  let json
  if (stdout.startsWith('{')) json = JSON.parse(stdout)
  return { status, stdout, stderr, json }
}

export const outside = (...args) => run(program, args)
export const outsideAnswers = (lines) => run(program, ['trees'], lines.join('\n') + '\n').stdout.trimEnd().split('\n')
export const doorwardVerify = (...args) => run(join(BUILD, 'doorward-verify'), args)
