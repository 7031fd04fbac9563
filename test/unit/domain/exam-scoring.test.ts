import { describe, expect, test } from 'vitest'
import { isAccepted, likeliest, meanLogLikelihoods } from '../../../main/domain/exam-scoring.ts'

describe('marking a free answer', () => {
  test.each([
    ['The colour is dark green.', ['dark green']],
    ['DARK  Green', ['dark green']],
    ['About 1,200 metres', ['1200 metres']],
    ['It weighs 3.0 kg', ['3 kg']],
    ['The total is 7.', ['7']],
    ['-5', ['-5']],
    ['The answer is \u22125 degrees', ['-5']],
    ['3, 9, 27', ['3, 9, 27']],
    ['\uff11\uff12 people', ['12']],
    ['it is Velora', ['Morvan', 'Velora']],
    ['9 - 4 = 5', ['5']],
  ])('%j is right for %j', (answer, accepted) => {
    expect(isAccepted(answer, accepted)).toBe(true)
  })

  test.each([
    ['The total is 17.', ['7']],
    ['12.5 kg', ['12']],
    ['12.5 kg', ['5']],
    ['-5', ['5']],
    ['5', ['-5']],
    ['green and dark', ['dark green']],
    ['evergreen', ['green']],
    ['', ['x']],
    ['anything', ['']],
    ['27, 9, 3', ['3, 9, 27']],
    ['12 000', ['12000']],
  ])('%j is wrong for %j', (answer, accepted) => {
    expect(isAccepted(answer, accepted)).toBe(false)
  })
})

describe('choice exams', () => {
  test('a long option is not punished for its length', () => {
    const means = meanLogLikelihoods([
      { logLikelihood: -4, tokens: 2 },
      { logLikelihood: -6, tokens: 6 },
    ])
    expect(means).toEqual([-2, -1])
    expect(likeliest(means)).toBe(1)
  })

  test('the first of equals is taken, and none of nothing', () => {
    expect(likeliest([-1, -1])).toBe(0)
    expect(likeliest([])).toBe(-1)
  })
})
