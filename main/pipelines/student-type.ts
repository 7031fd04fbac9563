// In which weight type a tuned model is written when nobody says otherwise.

import type { Model } from '../contract/models.ts'
import type { ExportRequest } from '../compute/trainer-protocol.ts'

/** The student's own type where training keeps it; quantised students are written as F16, since their rounding is not theirs any more. */
export function resultTypeOf(student: Pick<Model, 'fileType'>): ExportRequest['type'] {
  const type = student.fileType.toLowerCase()
  return type === 'f32' || type === 'bf16' ? type : 'f16'
}
