package dev.beckon.agent.action;

import dev.beckon.agent.config.DurationText;
import dev.beckon.device.Action;
import dev.beckon.device.ActionHandler;
import dev.beckon.device.Command;
import dev.beckon.device.Parameter;
import dev.beckon.device.Result;
import java.util.ArrayList;
import java.util.List;

/** The action {@code power}: switches something on and off, or off and on again. */
final class PowerAction implements ActionHandler {
  private static final String STATE = "state";

  private final PowerConfig config;
  private final PowerSwitch powerSwitch;

  PowerAction(PowerConfig config) {
    this.config = config;
    this.powerSwitch =
        config.gpio() == null
            ? new ProgramSwitch(config.programs(), config.timeLimit())
            : new GpioSwitch(config.gpio(), config.timeLimit());
  }

  Action action() {
    List<String> states =
        new ArrayList<>(List.of(PowerConfig.ON, PowerConfig.OFF, PowerConfig.CYCLE));
    if (config.gpio() != null || config.programs().containsKey(PowerConfig.STATUS)) {
      states.add(PowerConfig.STATUS);
    }
    return Action.named("power")
        .describedAs("Switches the power on or off, off and on again, or tells which it is")
        .takes(Parameter.text(STATE).oneOf(states.toArray(new String[0])));
  }

  @Override
  public Result run(Command command) throws FailedException, InterruptedException {
    return switch (command.text(STATE)) {
      case PowerConfig.ON -> powerSwitch.set(true, command);
      case PowerConfig.OFF -> powerSwitch.set(false, command);
      case PowerConfig.CYCLE -> cycleOrOn(command);
      default -> powerSwitch.status(command);
    };
  }

  private Result cycleOrOn(Command command) throws FailedException, InterruptedException {
    try {
      return cycle(command);
    } catch (InterruptedException e) {
      // The agent is being stopped: what it switched off, or was about to, must not stay so.
      powerSwitch.set(true, command);
      throw e;
    }
  }

  private Result cycle(Command command) throws FailedException, InterruptedException {
    if (powerSwitch instanceof ProgramSwitch programs
        && config.programs().containsKey(PowerConfig.CYCLE)) {
      return programs.run(PowerConfig.CYCLE, command).result();
    }
    powerSwitch.set(false, command);
    String offTime = DurationText.format(config.offTime());
    command.progress(30, "off; on again after " + offTime);
    Thread.sleep(config.offTime().toMillis());
    try {
      return powerSwitch.set(true, command).with("off-time", offTime);
    } catch (FailedException e) {
      throw new FailedException(e.result().with(STATE, PowerConfig.OFF));
    }
  }
}
