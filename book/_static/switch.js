// The other edition opens at the section that is being read here.
document
  .querySelector("a.switch-edition")
  ?.addEventListener("click", (event) => {
    const places = [...document.querySelectorAll("article [id^=section-]")];
    const passed = places.filter(
      (place) => place.getBoundingClientRect().top < innerHeight / 3,
    );
    event.currentTarget.hash = passed.length > 1 ? passed.at(-1).id : "";
  });
