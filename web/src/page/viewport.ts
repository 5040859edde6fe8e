/**
 * The height that a phone's keyboard leaves. Browsers that shrink the page for
 * the keyboard need none of it; in those that cover it (Safari) the page would be
 * as tall as ever, with its last lines under the keyboard.
 */
export function followViewport(): void {
  const viewport = window.visualViewport;
  if (!viewport) return;
  const follow = () => {
    // Zoomed in with two fingers: that is for reading, and changes no layout.
    if (viewport.scale !== 1) return;
    document.documentElement.style.setProperty("--height", `${viewport.height}px`);
    window.scrollTo(0, 0);
  };
  viewport.addEventListener("resize", follow);
  viewport.addEventListener("scroll", follow);
  follow();
}
