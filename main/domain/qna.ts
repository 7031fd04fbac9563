// Reading and writing qna.yaml: text to leaf content with every problem placed, and content to the newest version's text.
// Never throws on bad input; what was read and written again is the same content.

import { stringify } from 'yaml'
import type { Branch, ImportOutcome, QnaProblem, SeedDraft } from '../contract/taxonomy.ts'
import { newestVersion, type QnaContent, readForm, wantedSeeds } from './qna-form.ts'
import { readTree } from './qna-tree.ts'

export interface QnaFile {
  outcome: ImportOutcome['outcome']
  /** Null where refused. */
  content: QnaContent | null
  /** Worst first within a line; at least one error where refused. */
  problems: QnaProblem[]
  /** The file in the newest version, where it was upgraded. */
  upgradedText: string | null
}

/** Reads one file of a branch: valid as it is, upgraded to version 3, or refused. */
export function readQna(text: string, branch: Branch): QnaFile {
  const { root, problems: syntax } = readTree(text)
  if (!root) return { outcome: 'refused', content: null, problems: syntax, upgradedText: null }
  const { content, problems } = readForm(root, branch)
  if (problems.some(({ severity }) => severity === 'error')) {
    return { outcome: 'refused', content: null, problems, upgradedText: null }
  }
  if (content.version === newestVersion) return { outcome: 'valid', content, problems, upgradedText: null }
  return upgrade(content, problems)
}

/** Older skills become version 3 by writing them so. Older knowledge has no contexts, and nobody but its author can give them. */
function upgrade(content: QnaContent, problems: QnaProblem[]): QnaFile {
  const place = { line: 1, column: 1, field: 'version' }
  if (content.branch === 'knowledge') {
    const message = `Version ${content.version} of a knowledge leaf has no contexts, so it cannot become version ${newestVersion} by itself.`
    const remedy =
      'Open the leaf, give every seed the passage its answer comes from and describe the document, then save it.'
    const warned: QnaProblem[] = [{ severity: 'warning', ...place, message, remedy }, ...problems]
    return { outcome: 'valid', content, problems: warned, upgradedText: null }
  }
  const isShareable = content.seeds.length >= wantedSeeds
  if (!isShareable) return { outcome: 'valid', content, problems, upgradedText: null }
  return { outcome: 'upgraded', content, problems, upgradedText: writeQna(content) }
}

/** What is wrong with a leaf before it is saved, placed in the file it would be written as. */
export function checkContent(content: Omit<QnaContent, 'version'>): QnaProblem[] {
  const text = writeQna(content)
  return readQna(text, content.branch).problems
}

/** The text of a version 3 file. Knowledge without a named source points to itself (`repo: local`). */
export function writeQna(content: Omit<QnaContent, 'version'>): string {
  const { branch, createdBy, taskDescription, domain, documentOutline, documentSource, seeds } = content
  const tree =
    branch === 'knowledge'
      ? {
          version: newestVersion,
          domain,
          created_by: createdBy,
          seed_examples: groupByContext(seeds),
          document_outline: documentOutline,
          document: documentSource ?? { repo: 'local', commit: 'none', patterns: ['*.md'] },
        }
      : {
          version: newestVersion,
          task_description: taskDescription,
          created_by: createdBy,
          seed_examples: seeds.map(({ context, question, answer }) =>
            context === undefined ? { question, answer } : { context, question, answer },
          ),
        }
  // Quoted as YAML 1.1 needs it, so that programs of either version read the same texts.
  return stringify(tree, { version: '1.1', lineWidth: 100, aliasDuplicateObjects: false })
}

function groupByContext(seeds: readonly SeedDraft[]) {
  const groups = new Map<string, { context: string; questions_and_answers: { question: string; answer: string }[] }>()
  for (const { context = '', question, answer } of seeds) {
    const group = groups.get(context) ?? { context, questions_and_answers: [] }
    groups.set(context, group)
    group.questions_and_answers.push({ question, answer })
  }
  return [...groups.values()]
}
