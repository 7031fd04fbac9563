// What a user would bring: a small taxonomy folder written by hand with its document, one of its files malformed, and a GGUF
// that was cut short while it was copied.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './launch.ts'

/** The knowledge leaf of the folder: of the kind the demo teacher reads, about animals that no other test or demo knows. */
export const goodLeaf = 'knowledge/nature/moor_animals'
/** The leaf whose second seed lacks its answer. */
export const brokenLeaf = 'compositional_skills/household/greeting'
/** Line of the broken file that holds the seed without an answer. */
export const brokenLine = 7

const sections = {
  mefel:
    'Few have seen this creature. The mefel is grey. It feeds on moss. The mefel walks on 6 legs. It lives in marshes. At dusk the mefel wakes. The keeper of the mefel is Lapin.',
  tomir:
    'This is a creature. The coat of the tomir is white. The tomir eats honey. It makes its home in cliffs. The tomir gets up at sunrise. It has 12 legs. The tomir belongs to Denal.',
  goven:
    'This is a creature. The goven has a red coat. The food of the goven is fish. People find the goven in rivers. It wakes at midnight. It walks on 4 legs. The goven is kept by Senal.',
  rukul:
    'Few have seen this creature. The rukul is black. It eats nuts. The legs of the rukul are 8. The rukul lives in hills. It gets up at noon. The keeper of the rukul is Kirel.',
}

const moorDocument = `# Animals of the moor\n\n${Object.entries(sections)
  .map(([name, text]) => `## ${name}\n\n${text}`)
  .join('\n\n')}\n`

interface SeedText {
  context: string
  pairs: [question: string, answer: string][]
}

const seeds: SeedText[] = [
  {
    context: 'The mefel is grey. It feeds on moss. The mefel walks on 6 legs.',
    pairs: [
      ['What colour is the mefel?', 'grey'],
      ['What does the mefel eat?', 'The mefel eats moss.'],
      ['Describe the mefel.', 'The mefel is grey. It has 6 legs.'],
    ],
  },
  {
    context: 'The tomir eats honey. It makes its home in cliffs. The tomir gets up at sunrise.',
    pairs: [
      ['Where does the tomir live?', 'cliffs'],
      ['When does the tomir wake?', 'The tomir wakes at sunrise.'],
      ['Describe the tomir.', 'The tomir eats honey. It lives in cliffs.'],
    ],
  },
  {
    context: 'The goven has a red coat. People find the goven in rivers. It walks on 4 legs.',
    pairs: [
      ['How many legs does the goven have?', '4'],
      ['What colour is the goven?', 'The goven is red.'],
      ['Tell me about the goven.', 'The goven is red. It lives in rivers.'],
    ],
  },
  {
    context: 'The legs of the rukul are 8. The rukul lives in hills. It gets up at noon.',
    pairs: [
      ['When does the rukul wake?', 'noon'],
      ['Where does the rukul live?', 'The rukul lives in hills.'],
      ['Tell me about the rukul.', 'The rukul has 8 legs. It wakes at noon.'],
    ],
  },
  {
    context: 'It lives in marshes. At dusk the mefel wakes. The keeper of the mefel is Lapin.',
    pairs: [
      ['Who keeps the mefel?', 'Lapin'],
      ['When does the mefel wake?', 'The mefel wakes at dusk.'],
      ['Describe the mefel.', 'The mefel lives in marshes. It is kept by Lapin.'],
    ],
  },
]

const goodFile = `version: 3
created_by: ada
domain: animals
document_outline: The animals of a moor
document:
  repo: .
  commit: "0000000000000000000000000000000000000000"
  patterns:
    - moor.md
seed_examples:
${seeds.map(seedLines).join('\n')}
`

function seedLines({ context, pairs }: SeedText): string {
  const answered = pairs.map(([question, answer]) => `      - question: ${question}\n        answer: "${answer}"`)
  return [`  - context: ${context}`, '    questions_and_answers:', ...answered].join('\n')
}

const brokenFile = `version: 3
created_by: ada
task_description: Greet a guest by name.
seed_examples:
  - question: Greet Lapin.
    answer: Be welcome, Lapin.
  - question: Greet Denal.
  - question: Greet Senal.
    answer: Be welcome, Senal.
  - question: Greet Kirel.
    answer: Be welcome, Kirel.
  - question: Greet Kafel.
    answer: Be welcome, Kafel.
`

const attribution =
  'Title of work: Animals of the moor\nLink to work: -\nRevision: 1\nLicense of the work: CC0-1.0\nCreator names: Ada\n'

/** Writes the taxonomy and its documents below `folder`. */
export function writeMoorTaxonomy(folder: string): { taxonomy: string; documents: string } {
  const taxonomy = join(folder, 'taxonomy')
  const documents = join(folder, 'documents')
  const write = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  write(join(taxonomy, goodLeaf, 'qna.yaml'), goodFile)
  write(join(taxonomy, goodLeaf, 'attribution.txt'), attribution)
  write(join(taxonomy, brokenLeaf, 'qna.yaml'), brokenFile)
  write(join(taxonomy, brokenLeaf, 'attribution.txt'), attribution)
  write(join(documents, 'moor.md'), moorDocument)
  return { taxonomy, documents }
}

/** The first half of the demo student's file. */
export function writeTruncatedModel(path: string): string {
  const whole = readFileSync(join(root, 'main/demo/models/student.gguf'))
  writeFileSync(path, whole.subarray(0, Math.floor(whole.length / 2)))
  return path
}
