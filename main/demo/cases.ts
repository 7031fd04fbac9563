// One worked case of one stage: what the stage is given and what a perfect teacher answers. Cases are rendered through the prompt
// files, so the corpus of the demo teacher and the calls of the product are the same text.

import type { CoreStage, PromptVariables } from '../domain/prompts.ts'

export interface StageCase {
  stage: CoreStage
  variables: PromptVariables
  examples: PromptVariables[]
  /** Fields of the perfect output. */
  output: Record<string, string>
}
