// npm run build:native: builds the trainer with cmake if its sources changed, and says where it is.
import { AppError } from '../main/contract/errors.ts'
import { ensureTrainer } from '../main/compute/trainer-build.ts'
import { root } from './steps.ts'

try {
  const path = await ensureTrainer({ root, onLog: (line) => console.log(line) })
  console.log(`The trainer is at ${path}`)
} catch (error) {
  if (!(error instanceof AppError)) throw error
  console.error([error.message, error.remedy, error.detail].filter(Boolean).join('\n'))
  process.exitCode = 1
}
