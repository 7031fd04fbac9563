import { describe, expect, test } from 'vitest'
import { type ChoosableCheckpoint, chooseCheckpoint } from '../../../main/domain/checkpoint-choice.ts'

const checkpoint = (step: number, score: number | null, validationLoss: number | null = null): ChoosableCheckpoint => ({
  step,
  score,
  questionCount: 100,
  validationLoss,
})

describe('the checkpoint that starts the next phase', () => {
  test('is the best by its exam, whatever the order given', () => {
    expect(chooseCheckpoint([checkpoint(30, 0.6), checkpoint(20, 0.9), checkpoint(10, 0.4)])?.step).toBe(20)
  })

  test('is the earlier of near-equal scores', () => {
    expect(chooseCheckpoint([checkpoint(10, 0.5), checkpoint(20, 0.89), checkpoint(30, 0.9)])?.step).toBe(20)
  })

  test('is not an earlier one that is clearly worse', () => {
    expect(chooseCheckpoint([checkpoint(10, 0.8), checkpoint(20, 0.9)])?.step).toBe(20)
  })

  test('a saturated exam leaves the choice to the validation loss', () => {
    expect(
      chooseCheckpoint([checkpoint(10, 1, 2), checkpoint(20, 1, 0.5), checkpoint(30, 1, 0.499), checkpoint(40, 1, 0.6)])
        ?.step,
    ).toBe(20)
  })

  test('falls back to the lowest validation loss, the earlier of near-equal ones', () => {
    expect(
      chooseCheckpoint([checkpoint(10, null, 1), checkpoint(20, null, 0.7), checkpoint(30, null, 0.699)])?.step,
    ).toBe(20)
  })

  test('is the last one when nothing was measured, and none when there is none', () => {
    expect(chooseCheckpoint([checkpoint(20, null), checkpoint(10, null)])?.step).toBe(20)
    expect(chooseCheckpoint([])).toBeUndefined()
  })

  test('an unscored checkpoint is passed over where others are scored', () => {
    expect(chooseCheckpoint([checkpoint(10, 0.3), checkpoint(20, null, 0.01)])?.step).toBe(10)
  })
})
