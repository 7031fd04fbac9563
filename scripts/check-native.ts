// Runs the native tests on a trainer built with AddressSanitizer and UndefinedBehaviourSanitizer. Not part of npm test: minutes.

import { spawnSync } from 'node:child_process'
import { ensureTrainer } from '../main/compute/trainer-build.ts'
import { root } from './steps.ts'

const trainer = await ensureTrainer({ root, sanitize: true, onLog: (line) => console.log(line) })
const { status } = spawnSync('npx', ['vitest', 'run', 'test/native', '--testTimeout', '120000'], {
  cwd: root,
  stdio: 'inherit',
  // Leak checking needs ptrace, which containers often refuse.
  env: { ...process.env, LABDESK_TRAINER: trainer, ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? 'detect_leaks=0' },
})
process.exitCode = status ?? 1
