// GGUF models and the roles they may play.

import type { ModelId } from './ids.ts'

/** embedder: turns texts into vectors, by which near duplicates in meaning are found; a project can do without. */
export const modelRoles = ['teacher', 'student', 'embedder'] as const
export type ModelRole = (typeof modelRoles)[number]

export interface Model {
  id: ModelId
  name: string
  path: string
  sizeBytes: number
  sha256: string
  architecture: string
  parameterCount: number
  contextLength: number
  vocabSize: number
  fileType: string
  licence: string
  hasChatTemplate: boolean
  /** `compact` for small models whose GGUF says so (labdesk.prompt_pack), else `standard`. */
  promptPack: 'standard' | 'compact'
  /** A learning toy shipped with the app. */
  isDemo: boolean
  /** A tuned model made here, and from which run. */
  origin: string
  roles: ModelRole[]
  /** Why a role cannot be played, by role. */
  unfit: Partial<Record<ModelRole, string>>
  isMissing: boolean
}
