// Reads the prompt packs that ship with the app: <pack>/<language>/<stage>.yaml. A language a pack does not have falls back to English.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, toAppError } from '../contract/errors.ts'
import { coreStages, parsePromptFile, type PromptStage, type PromptTemplate, promptStages } from '../domain/prompts.ts'

export type PackName = 'standard' | 'compact'

/** One pack in one language. The compact pack has the core stages only. */
export interface PromptPack {
  pack: PackName
  language: string
  templates: Partial<Record<PromptStage, PromptTemplate>>
}

const fallbackLanguage = 'en'

/** Reads a pack in a leaf's language (its primary subtag), or in English. Throws `bad-input` for a file that is missing or wrong. */
export function readPromptPack(promptsDir: string, pack: PackName, language: string): PromptPack {
  const wanted = language.toLowerCase().split(/[-_]/)[0] ?? ''
  const isKnown = /^[a-z]{2,3}$/.test(wanted) && existsSync(join(promptsDir, pack, wanted))
  const found = isKnown ? wanted : fallbackLanguage
  const stages = stagesOf(pack)
  const templates = stages.map((stage) => [stage, readTemplate(join(promptsDir, pack, found), stage)] as const)
  return { pack, language: found, templates: Object.fromEntries(templates) }
}

/** The stages a pack has prompts for. */
export function stagesOf(pack: PackName): readonly PromptStage[] {
  return pack === 'compact' ? coreStages : promptStages
}

/** The template of a stage. Throws `bad-input` where the pack has none: the pipeline asks for more than the model can do. */
export function templateOf(pack: PromptPack, stage: PromptStage): PromptTemplate {
  const template = pack.templates[stage]
  if (template) return template
  throw new AppError({
    code: 'bad-input',
    message: `The ${pack.pack} prompt pack has no prompt for the stage "${stage}".`,
    remedy: 'Choose another pipeline, or a model that follows the standard prompts.',
  })
}

/** Every prompt of every pack and language, for reading. */
export function listPrompts(
  promptsDir: string,
): { pack: string; language: string; stage: string; system: string; user: string }[] {
  return foldersIn(promptsDir).flatMap((pack) =>
    foldersIn(join(promptsDir, pack)).flatMap((language) =>
      stagesOf(pack === 'compact' ? 'compact' : 'standard').map((stage) => {
        const { system, user } = readTemplate(join(promptsDir, pack, language), stage)
        return { pack, language, stage, system, user }
      }),
    ),
  )
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

function readTemplate(folder: string, stage: PromptStage): PromptTemplate {
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
