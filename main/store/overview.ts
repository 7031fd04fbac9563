// Counts over the whole project, for the overview only.

import type { Overview } from '../contract/workspace.ts'
import type { Database } from './open.ts'

export interface ProjectCounts {
  shown: Overview['counts']
  /** Models assigned to each role. */
  teachers: number
  students: number
  /** Accepted by the stages, not yet looked at by a person. */
  unreviewed: number
}

const tables = {
  leaves: 'leaves where removed_at_ms is null',
  seeds: 'seeds where removed_at_ms is null',
  documents: 'documents where removed_at_ms is null',
  candidates: 'candidates',
  datasets: 'datasets where is_frozen = 1',
  tunings: 'tunings',
  evaluations: 'evaluations where is_finished = 1',
} as const

export function countProject(db: Database): ProjectCounts {
  const count = (table: string) => Number(db.prepare(`select count(*) from ${table}`).pluck().get())
  const samples = (where: string) => Number(db.prepare(`select count(*) from samples where ${where}`).pluck().get())
  const role = db.prepare('select count(*) from model_roles where role = ?').pluck()
  const shown = Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, count(table)]))
  return {
    shown: {
      ...(shown as Omit<Overview['counts'], 'accepted'>),
      accepted: samples("status in ('accepted', 'edited')"),
    },
    teachers: Number(role.get('teacher')),
    students: Number(role.get('student')),
    unreviewed: samples("status = 'accepted' and is_reviewed = 0"),
  }
}
