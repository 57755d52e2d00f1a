// Second opinions: our part as a program that answers each line of its input with a line (tests/conformance/NAME.c), and random cases.
// SEED=n repeats a run, CASES=n makes it longer.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BUILD } from './gate.mjs'

export const seed = Number(process.env.SEED ?? 20260728)
export const casesOr = (usual) => Number(process.env.CASES ?? usual)

export function judgeProgram(name, env = process.env) {
  const path = join(BUILD, 'tests/conformance', name)
  const run = (args, input) => spawnSync(path, args, { input, encoding: 'utf8', maxBuffer: 1 << 28, env })
  return {
    skip: !existsSync(path) && `${path} is not built`,
    run,
    // All lines in one process; one answer for each.
    ask(lines) {
      const { stdout, status } = run([], lines.map((line) => line + '\n').join(''))
      assert.equal(status, 0)
      const answers = stdout.trimEnd().split('\n')
      assert.equal(answers.length, lines.length)
      return answers
    },
  }
}

// Numbers that look random and are the same for the same start.
export function generator(start) {
  let state = start >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (n) => Math.floor(next() * n)
  return { below, chance: (p) => next() < p, pick: (list) => list[below(list.length)] }
}
