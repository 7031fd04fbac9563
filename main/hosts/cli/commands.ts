// The command line's nouns and verbs: one per method of the contract, under the method's own name, and the shorter names people type.
// Every method has a line of help here; a new method without one does not compile.

import { type MethodName, methodNames } from '../../contract/api.ts'

/** What each method does, as the help shows it. */
const summaries: Record<MethodName, string> = {
  'workspace.overview': 'counts of the project, its running job, and the next sensible act',
  'workspace.hardware': 'processor, memory, disk, GPU, and whether the trainer is ready',
  'workspace.offline': 'how this process is kept offline, and what it refused',
  'settings.get': 'the settings',
  'settings.set': 'changes settings (theme, language, threads, gpu, remoteTeacher as JSON with --input)',
  'settings.testRemoteTeacher': 'asks an OpenAI-compatible server on your network for a sign of life',
  'project.list': 'all projects; one is open',
  'project.create': 'makes a new, empty project and opens it',
  'project.open': 'opens a project; later commands use it',
  'model.list': 'models of the project, their roles, and why they cannot play one',
  'model.add': 'adds a GGUF file',
  'model.scan': 'adds every GGUF file below a folder',
  'model.remove': 'forgets a model; its file stays',
  'model.assign': 'makes a model the teacher, the student or the embedder',
  'taxonomy.list': 'leaves with their counts and problems',
  'taxonomy.paths': 'the paths of all leaves',
  'taxonomy.leaf': 'one leaf with its seeds and documents',
  'taxonomy.save': 'writes a leaf (give it as JSON with --input)',
  'taxonomy.remove': 'removes a leaf',
  'taxonomy.check': 'checks a leaf without writing it (JSON with --input)',
  'taxonomy.import': 'imports a folder of qna.yaml files',
  'taxonomy.export': 'writes the taxonomy as qna.yaml files into a folder; --extended adds labdesk.yaml files',
  'taxonomy.validate': 'checks a folder of qna.yaml files, no project needed; --fix writes the repairs into them',
  'taxonomy.repair': 'shows what repairs make of a qna.yaml or a leaf; --apply makes them (subject as JSON)',
  'taxonomy.move': 'moves or renames a leaf, or with --is-folder a folder; what was made from it follows',
  'taxonomy.restore': 'brings a removed leaf back, or a leaf into the state of one of its revisions',
  'taxonomy.revisions': 'every state a leaf was in, newest first',
  'taxonomy.revision': 'one state of a leaf with its text',
  'taxonomy.diff':
    'what changed since the last runs, since a run (--since), or in a folder since a git revision (--git --folder)',
  'document.list': 'documents, of one leaf or of all',
  'document.import': 'imports files into a leaf: Markdown, text, HTML, Word, CSV, PDF with a text layer',
  'document.upload': 'imports a file given as base64',
  'document.add': 'adds a document given as text',
  'document.remove': 'removes a document',
  'document.text': 'the text of a document',
  'document.chunks': 'how a document is cut into chunks; `document chunk` is the same',
  'document.tokens': 'whose tokens chunks are measured in',
  'document.edit': 'parts, joins, leaves out or takes back in chunks of a document',
  'document.undo': "takes the last edit of a document's chunks back",
  'document.redo': 'makes the edit again that was taken back',
  'draft.list': 'drafts of a document that wait to be taken',
  'draft.pairs': 'lets the teacher draft questions and answers from a chunk',
  'draft.outline': 'lets the teacher draft what a document is about',
  'draft.settle': 'takes or dismisses a draft',
  'seed.checks': 'what the student answered to the seeds of a leaf with the book closed',
  'seed.check': 'asks the student the seeds of a leaf with the book closed',
  'generation.start': 'generates samples with the teacher and follows the job',
  'pipeline.list': 'pipelines to generate by: presets and your own',
  'pipeline.check': 'checks a pipeline (JSON {"text": YAML} with --input)',
  'pipeline.save': 'keeps a pipeline in the project (JSON {"text": YAML} with --input)',
  'pipeline.remove': 'removes a pipeline of yours',
  'generation.list': 'generation runs with their progress',
  'generation.get': 'one generation run',
  'generation.latest': 'the newest candidates of a run',
  'generation.thresholds': 'what moving the thresholds of a run would change (JSON with --input)',
  'generation.applyThresholds': 'moves the thresholds of a run (JSON with --input)',
  'generation.decontamination': 'what a run was checked against, and what repeated it',
  'generation.agreement': 'how far judges agree with your own verdicts: agreement, kappa, confusion',
  'prompt.preview': 'the prompt of a stage filled in for a leaf',
  'prompt.list': 'the prompts of every stage',
  'sample.list': 'samples, filtered and paged',
  'sample.get': 'one sample with everything each stage said about it',
  'sample.judge': 'accepts, rejects or edits a sample',
  'sample.undo': 'takes the last verdict back',
  'sample.redo': 'gives the verdict again that was taken back',
  'sample.export': 'writes samples or a dataset as files into a folder',
  'twin.find': 'looks for near duplicates among seeds and accepted samples, and follows the job',
  'twin.list': 'pairs of near duplicates, closest first',
  'twin.settle': 'keeps one of a pair, or both',
  'twin.keepBest': 'rejects every sample that has a better twin',
  'dataset.list': 'frozen datasets',
  'dataset.freeze': 'freezes the accepted samples as a dataset',
  'dataset.decontamination': 'what a dataset was checked against, and what was left out for it',
  'dataset.rows': 'rows of a dataset, paged',
  'tuning.preset': 'the plan a preset gives for a dataset and a student',
  'tuning.estimate': 'memory, time and disk a plan needs (plan as JSON with --input)',
  'tuning.start': 'tunes the student (plan as JSON with --input) and follows the job',
  'tuning.list': 'tuning runs with their phases',
  'tuning.get': 'one tuning run',
  'tuning.steps': 'loss and throughput of every step of a run',
  'tuning.warnings': 'what the steps of a run say against it',
  'tuning.checkpoints': 'checkpoints of a run',
  'tuning.export': 'writes a checkpoint as a GGUF model or LoRA adapter',
  'train.plan': 'what training a GGUF takes by the trainer itself; --probe runs three real steps',
  'exam.list': 'exams',
  'exam.import': 'imports an exam from a file',
  'exam.start': 'runs exams on models and follows the job',
  'heldout.list': 'files that no sample may repeat',
  'heldout.add': 'holds out a text, JSON or JSONL file: no sample may repeat it',
  'heldout.remove': 'holds a file out no longer',
  'evaluation.list': 'results of exams',
  'evaluation.get': 'one result with every question and answer',
  'chat.send': 'one answer of a model (turns as JSON); `labdesk chat` is shorter',
  'chat.stop': 'stops an answer',
  'job.list': 'jobs, newest first',
  'job.get': 'one job',
  'job.events': 'the log of a job',
  'job.pause': 'pauses a job that runs in another Labdesk',
  'job.resume': 'continues a paused, interrupted or failed job and follows it',
  'job.cancel': 'cancels a job',
  'demo.run': 'runs the whole method on the demo, or continues it where it stopped; ends with a table',
  'demo.report': 'the report of the last demo run',
}

/** Other names of nouns and verbs. */
const nounAliases: Record<string, string> = {
  generate: 'generation',
  tune: 'tuning',
  leaf: 'taxonomy',
  hardware: 'workspace',
}
const commandAliases: Record<string, MethodName> = {
  'exam run': 'exam.start',
  'taxonomy show': 'taxonomy.leaf',
  'document chunk': 'document.chunks',
  'model use': 'model.assign',
  'generation show': 'generation.get',
  'tuning show': 'tuning.get',
  'sample twins': 'twin.find',
  'twin keep-best': 'twin.keepBest',
}
/** Commands that are more than one call. */
const ownCommands: Record<string, string> = {
  generate: 'generates samples: labdesk generate [leaf=count ...] [--pipeline lab] [--minutes 30]',
  'job watch': 'follows a job that runs in another Labdesk',
  chat: 'asks a model: labdesk chat <model-id> "question"',
}

/** The method a noun and a verb name. */
export function findMethod(noun: string, verb: string): MethodName | undefined {
  const full = nounAliases[noun] ?? noun
  const named = commandAliases[`${full} ${verb}`] ?? `${full}.${verb}`
  return methodNames.find((name) => name === named)
}

export function summaryOf(method: MethodName): string {
  return summaries[method]
}

/** Help for all commands, or those of one noun. */
export function listCommands(noun?: string): string {
  const wanted = noun === undefined ? undefined : (nounAliases[noun] ?? noun)
  const own = Object.entries(ownCommands)
  const methods = methodNames.map((name): [string, string] => [name.replace('.', ' '), summaries[name]])
  const rows = [...methods, ...own].filter(([command]) => wanted === undefined || command.split(' ')[0] === wanted)
  const width = Math.max(0, ...rows.map(([command]) => command.length))
  return rows.map(([command, summary]) => `  ${command.padEnd(width)}  ${summary}`).join('\n')
}

export const usage = `Usage: labdesk <noun> <verb> [values] [--flags]

JSON goes to stdout, progress and messages to stderr.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 paused or interrupted (Ctrl-C pauses a job; twice ends at once).

  --data DIR      data folder (default: LABDESK_DATA, else the user's data folder)
  --project ID    project to use (default: the one opened last)
  --input FILE    the whole input as JSON from a file, "-" for stdin; flags override it
  --verbose       technical details of errors, and the engine's log
  --help          help; after a command, its flags
`
