// After a run: thresholds moved, judges compared with people, prompts shown.

import { describe, expect, it } from 'vitest'
import { bills, birds, openPipelineLab, runPipeline, use, wrens } from '../support/pipeline-lab.ts'

describe('the thresholds of a run', () => {
  it('show what they would change, change it, and take it back; people keep the last word', async () => {
    let number = 0
    const lab = await openPipelineLab({ grade: () => `Reason: r.\nScore: ${1 + (number++ % 3)}` })
    const { engine } = lab
    const blocks = [use('question'), use('answer'), use('new'), use('unseen'), use('pair-grade')]
    const { run: done, details } = await runPipeline(lab, { freeform: blocks }, { leaves: [{ leaf: bills, quota: 6 }] })
    const wish = (minPairGrade: number) => ({
      generationId: done.id,
      thresholds: { minPairGrade, nearDuplicateRougeL: 0.7 },
    })
    const dropped = details.filter(({ state }) => state === 'dropped')
    expect(await engine.call('generation.thresholds', wish(1))).toEqual([
      { leaf: bills, accepted: 6, comes: dropped.length, goes: 0, unjudged: 0 },
    ])
    const rejected = dropped[0]!.id
    await engine.call('sample.judge', { candidateId: rejected, kind: 'reject' })
    await engine.call('generation.applyThresholds', wish(1))
    const accepted = async () => (await engine.call('sample.list', { filter: { status: 'accepted' } })).total
    expect(await accepted()).toBe(6 + dropped.length - 1)
    await engine.call('generation.applyThresholds', wish(3))
    expect(await accepted()).toBe(3)
    await engine.call('generation.applyThresholds', wish(2))
    expect(await accepted()).toBe(6)
  })
  it('say of near duplicates that judges have not seen them yet', async () => {
    let number = 0
    const near = await openPipelineLab({
      qa: () => {
        number += 1
        const word = number % 2 === 0 ? 'small' : 'little'
        return `Question: What does the ${word} brown wren do in the hedge at dawn?\nAnswer: It sings at dawn.`
      },
    })
    const { run: done } = await runPipeline(near, { knowledge: [use('pair'), use('new'), use('faithful')] })
    const [effect] = await near.engine.call('generation.thresholds', {
      generationId: done.id,
      thresholds: { minPairGrade: 2, nearDuplicateRougeL: 0.99 },
    })
    expect(effect?.unjudged).toBeGreaterThan(0)
    expect(effect?.comes).toBe(0)
  })
})

describe('a judge and a person', () => {
  it('are compared over the samples both decided', async () => {
    let number = 0
    const lab = await openPipelineLab({ grade: () => `Reason: r.\nScore: ${1 + 2 * (number++ % 2)}` })
    const { details } = await runPipeline(
      lab,
      { freeform: [use('question'), use('answer'), use('pair-grade')] },
      { leaves: [{ leaf: bills, quota: 4 }] },
    )
    const passed = details.filter(({ state }) => state === 'passed')
    const dropped = details.filter(({ state }) => state === 'dropped')
    for (const { id } of passed.slice(0, 3)) await lab.engine.call('sample.judge', { candidateId: id, kind: 'accept' })
    await lab.engine.call('sample.judge', { candidateId: passed[3]!.id, kind: 'reject' })
    await lab.engine.call('sample.judge', { candidateId: dropped[0]!.id, kind: 'reject' })
    expect(await lab.engine.call('generation.agreement', {})).toEqual([
      {
        stage: 'skill-pair-judge',
        passedAccepted: 3,
        passedRejected: 1,
        failedAccepted: 0,
        failedRejected: 1,
        agreement: 0.8,
        kappa: expect.closeTo(0.545, 3) as number,
      },
    ])
  })
})

describe('a prompt', () => {
  it('is shown filled in for a leaf, with marks where models write', async () => {
    const { engine } = await openPipelineLab()
    const shown = await engine.call('prompt.preview', { leaf: birds, stage: 'knowledge-faithful' })
    expect(shown.user).toContain(wrens)
    expect(shown.user).toContain('Answer: ‹answer›')
    expect(shown.grammar).toContain('"Verdict: "')
    await expect(engine.call('prompt.preview', { leaf: birds, stage: 'near-duplicate' })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})
