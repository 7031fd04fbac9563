// Fills a fresh demo project: writes the demo world's taxonomy, documents and datasets as plain files below the project folder, imports
// them the way a user would, adds the held-out exams and the two demo models. Calling it again picks up where it was cut short.

import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../contract/errors.ts'
import type { LeafPath } from '../contract/ids.ts'
import { type DemoExam, type DemoLeaf, demoProject } from '../demo/project.ts'
import { assignRole } from '../store/models.ts'
import { listLeaves } from '../store/taxonomy.ts'
import { addExam } from './exam-methods.ts'
import type { Lab } from './lab.ts'
import { registerModel } from './models.ts'
import { importTaxonomy } from './taxonomy-import.ts'

/** Throws `bad-qna` when the demo's own files do not import, `model-missing` when the demo models are not shipped. */
export async function seedDemoProject(lab: Lab): Promise<void> {
  const demo = demoProject()
  const folder = writeDemoFiles(join(lab.project().folder, 'demo'), demo.leaves)
  const outcomes = await importTaxonomy(lab, folder)
  const refused = outcomes.find((outcome) => outcome.outcome === 'refused')
  if (refused || listLeaves(lab.project().db).length < demo.leaves.length) {
    throw new AppError({
      code: 'bad-qna',
      message: `The demo's taxonomy could not be imported${refused ? `: ${refused.path}` : '.'}`,
      remedy: 'Install Labdesk again; its files are damaged.',
      detail: refused?.problems.map((problem) => `${problem.line}: ${problem.message}`).join('\n') ?? '',
    })
  }
  for (const exam of demo.exams) addDemoExam(lab, exam)
  for (const role of ['teacher', 'student'] as const) {
    const model = await registerModel(lab, { path: join(lab.resources.demoModelsDir, `${role}.gguf`) })
    assignRole(lab.project().db, role, model.id)
  }
}

/** Writes `taxonomy/<leaf>/qna.yaml` (with attribution and dataset) and `documents/<name>`. */
export function writeDemoFiles(root: string, leaves: readonly DemoLeaf[]): { folder: string; documentsFolder: string } {
  const folder = join(root, 'taxonomy')
  const documentsFolder = join(root, 'documents')
  const write = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  for (const leaf of leaves) {
    const place = join(folder, leaf.path)
    write(join(place, 'qna.yaml'), leaf.qna)
    write(join(place, 'attribution.txt'), leaf.attribution)
    if (leaf.dataset.length > 0) {
      write(join(place, 'dataset.jsonl'), leaf.dataset.map((row) => `${JSON.stringify(row)}\n`).join(''))
    }
    for (const document of leaf.documents) write(join(documentsFolder, basename(document.name)), document.text)
  }
  return { folder, documentsFolder }
}

function addDemoExam(lab: Lab, exam: DemoExam): void {
  const questions = exam.questions.map(({ leaf, ...question }, index) => ({
    index,
    leaf: leaf as LeafPath,
    ...question,
  }))
  addExam(lab, { name: exam.name, kind: exam.kind, source: 'demo world', questions })
}
