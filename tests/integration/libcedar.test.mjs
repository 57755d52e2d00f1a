// libcedar on its own: what an installation brings, and that the program of docs/CEDAR.md builds against it, shared and static, and
// prints what the page says.
// areas: cedar
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BUILD, TOP } from './lib/gate.mjs'

const page = readFileSync(join(TOP, 'docs/CEDAR.md'), 'utf8')
const program = /<!-- program -->\n```c\n([^]*?)```/.exec(page)[1]
const shown = /\.\/demo\n {4}(.*)\n/.exec(page)[1]

const options = JSON.parse(execFileSync('meson', ['introspect', '--buildoptions', BUILD], { encoding: 'utf8' }))
const sanitized = options.some((o) => o.name === 'b_sanitize' && o.value !== 'none')

describe('libcedar', { skip: sanitized && 'a program that is not sanitized cannot use a library that is' }, () => {
  let tree, lib, env
  const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', env, cwd: tree })
  const exported = () =>
    run('nm', '-D', '--defined-only', join(lib, 'libcedar.so')).trim().split('\n').map((line) => line.split(' ').at(-1).split('@')[0])
  const found = (name) => readdirSync(tree, { recursive: true }).map(String).find((f) => f.endsWith(name))

  before(() => {
    tree = mkdtempSync(join(tmpdir(), 'libcedar-'))
    execFileSync('meson', ['install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', tree])
    const pc = found('libcedar.pc')
    assert.ok(pc, 'libcedar.pc is installed')
    lib = dirname(join(tree, found('libcedar.a')))
    env = { ...process.env, PKG_CONFIG_PATH: dirname(join(tree, pc)), PKG_CONFIG_SYSROOT_DIR: tree, LD_LIBRARY_PATH: lib }
    writeFileSync(join(tree, 'demo.c'), program)
  })
  after(() => rmSync(tree, { recursive: true, force: true }))

  test('the program of the page runs with the shared library', () => {
    const flags = run('pkg-config', '--cflags', '--libs', 'libcedar').trim().split(/\s+/)
    run('cc', '-Wall', '-Wextra', '-Werror', 'demo.c', ...flags, '-o', 'demo')
    assert.equal(run('./demo'), `${shown}\n`)
    assert.match(run('readelf', '-d', 'demo'), /NEEDED.*libcedar\.so\.0\b/)
  })

  test('and with the static one, which needs nothing else', () => {
    const flags = run('pkg-config', '--cflags', 'libcedar').trim().split(/\s+/)
    run('cc', 'demo.c', ...flags, join(lib, 'libcedar.a'), '-o', 'demo-static')
    assert.equal(run('./demo-static'), `${shown}\n`)
  })

  test('the shared library needs libc only, and exports what its headers offer and nothing else', () => {
    const needed = [...run('readelf', '-d', join(lib, 'libcedar.so')).matchAll(/NEEDED.*\[(.*)\]/g)].map((m) => m[1])
    assert.deepEqual(needed, ['libc.so.6'])
    const names = exported()
    assert.ok(names.includes('cedar_decide'))
    assert.deepEqual(names.filter((n) => !/^(cedar|arena|buf|err|fault|json|str)_|^LIBCEDAR_0$/.test(n)), [])
  })

  test('every function of an installed header is there', () => {
    const include = join(tree, dirname(dirname(found('cedar/cedar.h'))))
    const names = new Set(exported())
    const missing = []
    let offered = 0
    for (const folder of ['cedar', 'base'])
      for (const file of readdirSync(join(include, folder)).filter((f) => f.endsWith('.h'))) {
        const text = readFileSync(join(include, folder, file), 'utf8').replace(/\/\*[^]*?\*\//g, '').replace(/^#(?:.*\\\n)*.*$/gm, '')
        for (const [, name] of text.matchAll(/^(?!static|typedef|\s|})[a-z][\w\s*]*?\**\b(\w+)\(/gm)) {
          offered++
          if (!names.has(name)) missing.push(`${file}: ${name}`)
        }
      }
    assert.ok(offered > 100, `${offered} functions`)
    assert.deepEqual(missing, [])
  })

  test('headers include nothing that is not installed', () => {
    const include = join(tree, dirname(dirname(found('cedar/cedar.h'))))
    for (const folder of ['cedar', 'base'])
      for (const file of readdirSync(join(include, folder)))
        for (const [, name] of readFileSync(join(include, folder, file), 'utf8').matchAll(/^#include "(.*)"/gm))
          assert.ok(existsSync(join(include, name)), `${file} includes ${name}`)
  })
})
