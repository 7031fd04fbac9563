// Small valid qna.yaml texts that tests then damage.

export const pairs = (count: number, indent = '') =>
  Array.from({ length: count }, (_, at) => `${indent}- question: Q${at}?\n${indent}  answer: A${at}.\n`).join('')
export const skill = (seeds = pairs(5), head = 'version: 3\n') =>
  `${head}created_by: ada\ntask_description: Do it.\nseed_examples:\n${seeds}`
export const knowledge = (contexts = 5, head = 'version: 3\n') =>
  `${head}created_by: ada\ndomain: birds\ndocument_outline: All about birds.\n` +
  `document:\n  repo: https://example.org/r.git\n  commit: abc123\n  patterns:\n    - birds.md\nseed_examples:\n` +
  Array.from(
    { length: contexts },
    (_, at) => `  - context: Context ${at}.\n    questions_and_answers:\n${pairs(3, '      ')}`,
  ).join('')
