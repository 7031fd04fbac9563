import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  parsePromptFile,
  type PromptTemplate,
  promptStages,
  renderPrompt,
  stageForms,
} from '../../main/domain/prompts.ts'

const read = (language: string, stage: PromptTemplate['stage']) =>
  parsePromptFile(
    stage,
    readFileSync(new URL(`../../main/prompts/standard/${language}/${stage}.yaml`, import.meta.url), 'utf8'),
  )
const named = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name.replace('?', ''), `<${name.replace('?', '')}>`]))

describe.each(['en', 'ja'])('the standard prompt pack in %s', (language) => {
  it.each(promptStages)('%s shows everything it is given, and its examples', (stage) => {
    const template = read(language, stage)
    const { variables, exampleVariables } = stageForms[stage]
    const { system, user } = renderPrompt(
      template,
      named(variables),
      exampleVariables.length > 0 ? [named(exampleVariables)] : [],
    )
    for (const name of [...variables, ...exampleVariables]) expect(user).toContain(`<${name.replace('?', '')}>`)
    expect(system).not.toBe('')
    expect(user + system).not.toMatch(/\{\{|\}\}/)
  })
  it.each(promptStages)('%s reads well without optional texts and examples', (stage) => {
    const required = stageForms[stage].variables.filter((name) => !name.endsWith('?'))
    const { user } = renderPrompt(read(language, stage), named(required))
    expect(user).not.toMatch(/\n{4,}|\{\{/)
    if (!required.includes('chunk')) expect(user).not.toContain('"""')
  })
  it.each(promptStages)('%s names the labels of its output form where it has any', (stage) => {
    const labels = stageForms[stage].fields.map((field) => field.label).filter((label) => label !== '')
    const { user } = renderPrompt(read(language, stage), named(stageForms[stage].variables))
    for (const label of labels) expect(user).toContain(`\n${label} `)
  })
})
