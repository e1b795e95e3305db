// The default theme with the fonts of the reader's system: the site loads nothing that it does not need.
import DefaultTheme from 'vitepress/theme-without-fonts';

export default DefaultTheme;
