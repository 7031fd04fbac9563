// Reads the prompt packs that ship with the app: <pack>/<language>/<stage>.yaml. A language a pack does not have falls back to English.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, toAppError } from '../contract/errors.ts'
import {
  type OptionalStage,
  optionalStages,
  parsePromptFile,
  type PromptStage,
  type PromptTemplate,
  promptStages,
} from '../domain/prompts.ts'

/** One pack in one language: a template for every stage that calls a model. */
export interface PromptPack {
  pack: string
  language: string
  templates: Record<PromptStage, PromptTemplate>
}

const fallbackLanguage = 'en'

/** Reads a pack in a leaf's language (its primary subtag), or in English. Throws `bad-input` for a file that is missing or wrong. */
export function readPromptPack(promptsDir: string, pack: 'standard' | 'compact', language: string): PromptPack {
  const found = languageOf(join(promptsDir, pack), language)
  const templates = promptStages.map((stage) => [stage, readTemplate(join(promptsDir, pack, found), stage)] as const)
  return { pack, language: found, templates: Object.fromEntries(templates) as PromptPack['templates'] }
}

/** A stage that packs may lack, in a leaf's language or in English; null when the pack has no file for it. */
export function readOptionalPrompt(
  promptsDir: string,
  { pack, language, stage }: { pack: 'standard' | 'compact'; language: string; stage: OptionalStage },
): PromptTemplate | null {
  const folder = join(promptsDir, pack, languageOf(join(promptsDir, pack), language))
  return existsSync(join(folder, `${stage}.yaml`)) ? readTemplate(folder, stage) : null
}

function languageOf(packFolder: string, language: string): string {
  const wanted = language.toLowerCase().split(/[-_]/)[0] ?? ''
  return /^[a-z]{2,3}$/.test(wanted) && existsSync(join(packFolder, wanted)) ? wanted : fallbackLanguage
}

/** Every prompt of every pack and language, for reading. */
export function listPrompts(
  promptsDir: string,
): { pack: string; language: string; stage: string; system: string; user: string }[] {
  return foldersIn(promptsDir).flatMap((pack) =>
    foldersIn(join(promptsDir, pack)).flatMap((language) => {
      const folder = join(promptsDir, pack, language)
      const optional = optionalStages.filter((stage) => existsSync(join(folder, `${stage}.yaml`)))
      return [...promptStages, ...optional].map((stage) => {
        const { system, user } = readTemplate(folder, stage)
        return { pack, language, stage, system, user }
      })
    }),
  )
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

function readTemplate(folder: string, stage: PromptStage | OptionalStage): PromptTemplate {
  const path = join(folder, `${stage}.yaml`)
  try {
    return parsePromptFile(stage, readFileSync(path, 'utf8'))
  } catch (thrown) {
    const error = toAppError(thrown)
    if (error.code === 'bad-input') throw error
    throw new AppError(
      {
        code: error.code,
        message: `The prompt file of the stage "${stage}" could not be read.`,
        remedy: 'Install Labdesk again, so that its prompt files are put back.',
        detail: path,
      },
      { cause: thrown },
    )
  }
}
