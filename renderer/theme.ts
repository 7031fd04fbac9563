// The look: system font at 13-14 px, one accent colour, flat surfaces, contrast of at least 4.5:1 in both schemes.

import {
  ActionIcon,
  Button,
  Checkbox,
  type CSSVariablesResolver,
  createTheme,
  Kbd,
  Modal,
  NativeSelect,
  NumberInput,
  SegmentedControl,
  Select,
  Switch,
  Table,
  Tabs,
  Textarea,
  TextInput,
  Tooltip,
} from '@mantine/core'

const petrol = [
  '#e8f4f6',
  '#d3e7eb',
  '#a8d0d8',
  '#7fbdc9',
  '#5cabbb',
  '#3a94a7',
  '#2b8194',
  '#1c7486',
  '#0b6678',
  '#00535f',
] as const

const font =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Hiragino Sans", "Noto Sans CJK JP", "Yu Gothic UI", Meiryo, sans-serif'

const small = { defaultProps: { size: 'xs' } }

/** Mantine's theme for the whole app. */
export const theme = createTheme({
  fontFamily: font,
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Consolas, monospace',
  fontWeights: { medium: '500' },
  headings: { fontFamily: font, fontWeight: '600' },
  fontSizes: { xs: '0.8125rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  colors: { petrol },
  primaryColor: 'petrol',
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Button: Button.extend(small),
    ActionIcon: ActionIcon.extend({ defaultProps: { size: 'md', variant: 'subtle', color: 'gray' } }),
    TextInput: TextInput.extend(small),
    Textarea: Textarea.extend(small),
    NumberInput: NumberInput.extend(small),
    Select: Select.extend({ defaultProps: { size: 'xs', allowDeselect: false, checkIconPosition: 'right' } }),
    NativeSelect: NativeSelect.extend(small),
    Checkbox: Checkbox.extend(small),
    Switch: Switch.extend(small),
    SegmentedControl: SegmentedControl.extend(small),
    Kbd: Kbd.extend(small),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 400, withArrow: false, multiline: true, maw: 340 } }),
    Modal: Modal.extend({
      defaultProps: { centered: true, transitionProps: { duration: 100 }, overlayProps: { backgroundOpacity: 0.35 } },
    }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 5, horizontalSpacing: 'sm' } }),
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false } }),
  },
})

/** Colours of meaning, per scheme; the styles use these names only. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5b636b',
    '--mantine-color-placeholder': '#6b737b',
    '--mantine-color-anchor': '#0b6678',
    '--mantine-color-error': '#b42323',
    '--surface': '#ffffff',
    '--surface-side': '#f4f6f7',
    '--surface-raised': '#f8f9fa',
    '--line': '#dde2e6',
    '--line-strong': '#c3cad0',
    '--selected': '#e0eff2',
    '--accent': '#0b6678',
    '--accent-soft': '#7fbdc9',
    '--good': '#1e6f35',
    '--warn': '#8a5200',
    '--bad': '#b42323',
    '--series-2': '#a24a00',
    '--series-3': '#6b4fa0',
  },
  dark: {
    '--mantine-color-body': '#1b1e21',
    '--mantine-color-dimmed': '#a3abb2',
    '--mantine-color-placeholder': '#8f979e',
    '--mantine-color-anchor': '#7fc4d2',
    '--mantine-color-error': '#ff9a94',
    '--surface': '#1b1e21',
    '--surface-side': '#15181a',
    '--surface-raised': '#22262a',
    '--line': '#31363b',
    '--line-strong': '#4a5158',
    '--selected': '#173a42',
    '--accent': '#6fbecd',
    '--accent-soft': '#2b8194',
    '--good': '#7fd196',
    '--warn': '#f0b65c',
    '--bad': '#ff9a94',
    '--series-2': '#f2a45a',
    '--series-3': '#b9a1ec',
  },
})
