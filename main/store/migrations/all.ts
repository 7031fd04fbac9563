// Every migration of a project's database, in number order. An area adds its own line here.

import type { Migration } from '../migration.ts'
import { migration as foundation } from './001-foundation.ts'
import { migration as taxonomy } from './002-taxonomy.ts'
import { migration as generation } from './003-generation.ts'
import { migration as tuning } from './004-tuning.ts'
import { migration as demo } from './005-demo.ts'
import { migration as pipelines } from './006-pipelines.ts'
import { migration as authoring } from './007-authoring.ts'
import { migration as documents } from './008-documents.ts'
import { migration as twins } from './009-twins.ts'
import { migration as scale } from './010-scale.ts'

export const allMigrations: readonly Migration[] = [
  foundation,
  taxonomy,
  generation,
  tuning,
  demo,
  pipelines,
  authoring,
  documents,
  twins,
  scale,
]
