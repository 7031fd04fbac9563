import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  parsePromptFile,
  parseStageOutput,
  coreStages,
  renderPrompt,
  stageForms,
  stageGrammar,
  writeStageOutput,
} from '../../main/domain/prompts.ts'

const packFile = (stage: string) =>
  readFileSync(new URL(`../../main/prompts/compact/en/${stage}.yaml`, import.meta.url), 'utf8')

describe('compact prompt pack', () => {
  it.each(coreStages)('%s parses and shows every required variable', (stage) => {
    const template = parsePromptFile(stage, packFile(stage))
    const required = stageForms[stage].variables.filter((name) => !name.endsWith('?'))
    const { user } = renderPrompt(template, Object.fromEntries(required.map((name) => [name, `<${name}>`])))
    for (const name of required) expect(user).toContain(`<${name}>`)
    expect(user).not.toContain('{{')
  })
})

describe('prompt templates', () => {
  it('drops a section whose variable is empty and limits the in-context examples', () => {
    const template = parsePromptFile('skill-question', packFile('skill-question'))
    const examples = ['one', 'two', 'three'].map((question) => ({ question }))
    const { user } = renderPrompt(template, { task: 'T' }, examples)
    expect(user).toBe('Task: T\n\nQuestion: one\n\nQuestion: two')
  })
  it('refuses an unknown key and an unknown variable', () => {
    expect(() => parsePromptFile('knowledge-qa', 'system: a\nuser: "{{chunk}}"\ntone: x')).toThrow(/tone/)
    expect(() => parsePromptFile('knowledge-qa', 'system: a\nuser: "{{chnk}}"')).toThrow(/chnk/)
  })
  it('refuses to render without a required variable', () => {
    expect(() => renderPrompt(parsePromptFile('knowledge-qa', packFile('knowledge-qa')), {})).toThrow(/chunk/)
  })
})

describe('stage outputs', () => {
  it.each(coreStages)('%s reads back what it writes', (stage) => {
    const closed: Record<string, string> = { 'yes-no': 'NO', grade: '2', letter: 'C' }
    const values = Object.fromEntries(
      stageForms[stage].fields.map((field) => [field.name, closed[field.kind] ?? `the ${field.name}`]),
    )
    expect(parseStageOutput(stage, writeStageOutput(stage, values))).toEqual(values)
    expect(stageGrammar(stage)).toMatch(/^root ::= /)
  })
  it('refuses a verdict that is neither YES nor NO', () => {
    expect(() => parseStageOutput('knowledge-faithful', 'Quote: a\nVerdict: MAYBE')).toThrow(/knowledge-faithful/)
  })
})
