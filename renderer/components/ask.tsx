// Asks before something that cannot be undone.

import { Text } from '@mantine/core'
import { modals } from '@mantine/modals'
import { i18n } from '../i18n.ts'

/** Opens a question; `onYes` runs when the user confirms. */
export function ask(question: { title: string; text: string; yes: string; onYes: () => void }): void {
  modals.openConfirmModal({
    title: question.title,
    children: <Text size="sm">{question.text}</Text>,
    labels: { confirm: question.yes, cancel: i18n.t('cancel') },
    confirmProps: { color: 'red.9' },
    closeButtonProps: { 'aria-label': i18n.t('close') },
    onConfirm: question.onYes,
  })
}
