import { describe, expect, it } from 'vitest'
import type { LeafPath } from '../../main/contract/ids.ts'
import { parseGenerate } from '../../main/hosts/cli/generate.ts'
import { bills, birds, mined, openPipelineLab } from '../support/pipeline-lab.ts'

async function planOf(words: string[]) {
  const lab = await openPipelineLab()
  await lab.engine.call('model.assign', { modelId: lab.ids.teacher, role: 'teacher' })
  return { lab, plan: await parseGenerate(words).plan(lab.engine) }
}

describe('labdesk generate', () => {
  it('takes every leaf that can be generated for, and the assigned teacher', async () => {
    const { lab, plan } = await planOf([])
    expect(plan).toEqual({
      teacherId: lab.ids.teacher,
      leaves: [
        { leaf: bills, quota: 50 },
        { leaf: birds, quota: 50 },
      ],
    })
  })
  it('takes leaves with their counts, folders, and every other wish', async () => {
    const { plan } = await planOf([
      'knowledge/=7',
      bills,
      '--quota',
      '9',
      '--pipeline',
      'labdesk',
      '--minutes',
      '2.5',
      '--seed',
      '4',
    ])
    expect(plan).toMatchObject({
      leaves: [
        { leaf: birds, quota: 7 },
        { leaf: bills, quota: 9 },
      ],
      pipeline: 'labdesk',
      timeBudgetMinutes: 2.5,
      seed: 4,
    })
  })
  it('previews three attempts of each leaf', async () => {
    const { lab, plan } = await planOf([`${bills}=500`, '--preview'])
    expect(plan).toMatchObject({ leaves: [{ leaf: bills, quota: 3 }], maxAttemptsFactor: 1 })
    const { generationId, jobId } = await lab.engine.call('generation.start', plan)
    await lab.engine.settled(jobId)
    expect((await lab.engine.call('generation.get', { generationId })).funnel[0]?.attempted).toBe(3)
  })
  it.each([
    [['nowhere/leaf'], 'There is no leaf nowhere/leaf.'],
    [[`${bills}=many`], '"many" is no number above 0'],
    [['--minutes=-3'], '"-3" is no number above 0 (minutes).'],
  ])('refuses %j with a reason', async (words, reason) => {
    await expect(planOf(words)).rejects.toMatchObject({ code: 'bad-input', message: expect.stringContaining(reason) })
  })
  it('says what a project without a teacher lacks', async () => {
    const lab = await openPipelineLab()
    for (const { id } of await lab.engine.call('model.list', {})) await lab.engine.call('model.remove', { modelId: id })
    await expect(parseGenerate([bills]).plan(lab.engine)).rejects.toMatchObject({
      message: 'The project has no teacher.',
    })
    await expect(parseGenerate([mined as LeafPath]).plan(lab.engine)).rejects.toMatchObject({ code: 'bad-input' })
  })
})
