// workspace.*, settings.* and project.*: what the app as a whole reports and remembers.

import type { Overview } from '../contract/workspace.ts'
import { countProject, type ProjectCounts } from '../store/overview.ts'
import type { Handlers } from './lab.ts'
import { tryTeacher } from './remote-teacher.ts'
import type { Workspace } from './workspace.ts'

type WorkspaceMethods =
  | 'workspace.overview'
  | 'workspace.hardware'
  | 'workspace.offline'
  | 'settings.get'
  | 'settings.set'
  | 'settings.testRemoteTeacher'
  | 'project.list'
  | 'project.create'
  | 'project.open'

export function workspaceMethods(workspace: Workspace): Handlers<WorkspaceMethods> {
  return {
    'workspace.overview': () => overview(workspace),
    'workspace.hardware': () => workspace.machine.report(),
    'workspace.offline': () => workspace.offline(),
    'settings.get': () => workspace.settings(),
    'settings.set': (change) => workspace.changeSettings(change),
    'settings.testRemoteTeacher': (teacher) => tryTeacher(workspace, teacher),
    'project.list': () => workspace.projects(),
    'project.create': ({ name }) => workspace.createProject(name.trim()),
    'project.open': ({ id }) => workspace.openProject(id),
  }
}

function overview(workspace: Workspace): Overview {
  const counts = countProject(workspace.project().db)
  const project = workspace.summary()
  const demoJob = workspace.jobs.list().find((job) => job.kind === 'demo')
  return {
    project,
    counts: counts.shown,
    next: project.isDemo && demoJob?.state !== 'done' ? 'run-demo' : nextAct(counts),
    activeJob: workspace.jobs.active(),
    demoJobId: demoJob?.id ?? null,
  }
}

/** The first thing the method needs that is not there yet. */
function nextAct({ shown, ...counts }: ProjectCounts): Overview['next'] {
  if (counts.teachers === 0 || counts.students === 0) return 'add-models'
  if (shown.leaves === 0) return 'add-leaves'
  if (shown.candidates === 0) return 'generate'
  if (shown.datasets === 0) return counts.unreviewed > 0 ? 'curate' : 'freeze'
  if (shown.tunings === 0) return 'tune'
  if (shown.evaluations === 0) return 'evaluate'
  return 'export'
}
