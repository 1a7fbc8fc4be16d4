"""What the speaker of the demo says, with the pauses and the slip that an editor has to deal with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One sentence and the silence after it. An ``abandoned`` line is broken off and said again by the next one."""

    text: str
    pause_s: float
    abandoned: bool = False


#: Five times louder: sound pressure falls with distance, so a fifth of the distance gives five times the pressure.
SCRIPT: tuple[Line, ...] = (
    Line("Hello, and welcome.", 0.7),
    Line("Today I want to show you how to record great videos at home.", 1.6),
    Line("People forgive a soft picture, but they never forgive noisy sound.", 0.7),
    Line("Which problem should you fix first?", 0.9),
    Line("Start with the microphone.", 0.4),
    Line("Put it 20 centimeters from your mouth, just below the frame.", 0.8),
    Line("Moving it from 1 meter to 20 centimeters makes your voice 5 times louder than the room.", 2.5),
    Line("Next, move your light to the side, about 45 degrees from your face.", 0.6),
    Line("A big window works just as well as a lamp that costs 200 dollars.", 0.4),
    Line("Never sit with the window behind you, because the camera will turn you into a shadow.", 1.9),
    Line("Now look at the position of the camera.", 0.9),
    Line("Raise the lens to the height", 1.1, abandoned=True),
    Line("Raise the lens to the height of your eyes, and leave a little space above your head.", 1.4),
    Line("Here is the rule that saved me the most time.", 0.8),
    Line("Record every sentence twice, and pause for 2 seconds between takes.", 0.5),
    Line("Those pauses make editing easy, because every cut has a clean place to land.", 2.2),
    Line("You can see my checklist on the screen.", 0.4),
    Line("I write down every point before I press record.", 1.3),
    Line("Finally, speak to one person, and not to a crowd.", 0.7),
    Line("Imagine a good friend who has only 60 seconds.", 0.45),
    Line("If you do only one thing today, move your microphone closer.", 0.3),
    Line("It takes no money, and your next video will sound much better.", 1.2),
    Line("Thank you for watching, and see you in the next video.", 1.0),
)
