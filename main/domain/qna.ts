// Reading and writing qna.yaml: text to leaf content with every problem placed, and content to the newest version's text.
// Never throws on bad input; what was read and written again is the same content.

import { stringify } from 'yaml'
import type { Branch, ImportOutcome, QnaProblem, RepairKind, SeedDraft } from '../contract/taxonomy.ts'
import { newestVersion, type QnaContent, readForm, wantedSeeds } from './qna-form.ts'
import { setVersion } from './qna-form-repair.ts'
import { straighten, untab } from './qna-indent.ts'
import { checkStyle } from './qna-style.ts'
import { type QnaNode, readTree } from './qna-tree.ts'
import { replaceAll, upgradeKnowledge } from './qna-upgrade.ts'
import { applyEdits } from './text-edits.ts'

export interface QnaFile {
  outcome: ImportOutcome['outcome']
  /** Null where refused. */
  content: QnaContent | null
  /** Worst first within a line; at least one error where refused. */
  problems: QnaProblem[]
  /** The file in the newest version, where it was upgraded. */
  upgradedText: string | null
  /** False where not even its YAML could be read. */
  isYaml: boolean
}

export interface ReadQnaOptions {
  /** Texts the leaf is about: where the contexts of old knowledge are taken from. */
  documents?: readonly string[]
}

/** Reads one file of a branch: valid as it is, upgraded to version 3, or refused. */
export function readQna(text: string, branch: Branch, { documents = [] }: ReadQnaOptions = {}): QnaFile {
  const { root, problems: syntax } = readTree(text)
  if (!root) return refuse(withLayout(text, branch, syntax), false)
  const { content, problems: found } = readForm(root, { branch, text })
  const problems = [...found, ...checkStyle(text)]
  if (problems.some(({ severity }) => severity === 'error')) return refuse(problems, true)
  if (content.version === newestVersion)
    return { outcome: 'valid', content, problems, upgradedText: null, isYaml: true }
  return upgrade(content, problems, { text, root, documents })
}

function refuse(problems: QnaProblem[], isYaml: boolean): QnaFile {
  return { outcome: 'refused', content: null, problems, upgradedText: null, isYaml }
}

/**
 * A text that is no YAML because of tabs or crooked lines carries the edits that straighten it, and says no more than that: the other
 * complaints of the parser follow from it.
 */
function withLayout(text: string, branch: Branch, problems: QnaProblem[]): QnaProblem[] {
  const [first] = problems
  if (!first || text.length > maxStraightened) return problems
  const isYaml = (of: string) => readTree(of).root !== null
  const untabbed = /^ *\t/m.test(text) ? untab(text, isYaml) : []
  if (untabbed.length > 0) return [{ ...first, repair: { kind: 'tabs', edits: untabbed } }]
  const edits = straighten(text, branch)
  const isStraight = edits.length > 0 && isYaml(applyEdits(text, edits))
  return isStraight ? [{ ...first, repair: { kind: 'indentation', edits } }] : problems
}
/** A person's file; trying to straighten a larger one costs more than it helps. */
const maxStraightened = 300_000

/** Older skills become version 3 by writing them so. Older knowledge has no contexts, and nobody but its author can give them. */
function upgrade(
  content: QnaContent,
  problems: QnaProblem[],
  of: { text: string; root: QnaNode; documents: readonly string[] },
): QnaFile {
  const place = { line: 1, column: 1, field: 'version' }
  if (content.branch === 'knowledge') {
    const message = `Version ${content.version} of a knowledge leaf has no contexts, so it cannot become version ${newestVersion} by itself.`
    const remedy =
      'Open the leaf, give every seed the passage its answer comes from and describe the document, then save it.'
    const repair = replaceAll(of.text, writeQna(upgradeKnowledge(content, of.documents)))
    const warned: QnaProblem[] = [{ severity: 'warning', ...place, message, remedy, repair }, ...problems]
    return { outcome: 'valid', content, problems: warned, upgradedText: null, isYaml: true }
  }
  const isShareable = content.seeds.length >= wantedSeeds
  if (!isShareable) return { outcome: 'valid', content, problems, upgradedText: null, isYaml: true }
  const written = of.root.kind === 'map' ? of.root.entries.find(({ key }) => key === 'version') : undefined
  const repair = setVersion(of.root, written, newestVersion)
  const message = `This is the form of version ${content.version}; the newest is ${newestVersion}.`
  const remedy = `Write "version: ${newestVersion}" at the top.`
  const hint: QnaProblem = { severity: 'hint', ...place, message, remedy }
  const told = [repair ? { ...hint, repair } : hint, ...problems]
  return { outcome: 'upgraded', content, problems: told, upgradedText: rewrite(of.text, content, told), isYaml: true }
}

/** The author's own text with another number and without repeated seeds, or where that does not do, the content written anew. */
function rewrite(text: string, content: QnaContent, problems: readonly QnaProblem[]): string {
  const needed = problems.flatMap(({ repair }) => (repair && rewriting.includes(repair.kind) ? repair.edits : []))
  const rewritten = applyEdits(text, needed)
  const { outcome, content: same } = readQna(rewritten, content.branch)
  const isSame = outcome === 'valid' && JSON.stringify(same?.seeds) === JSON.stringify(content.seeds)
  return isSame ? rewritten : writeQna(content)
}
const rewriting: readonly RepairKind[] = ['version', 'repeated-seed']

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
